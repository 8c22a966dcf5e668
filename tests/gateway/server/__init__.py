"""The socket side of the HTTP interface, seen by clients that speak bytes."""
