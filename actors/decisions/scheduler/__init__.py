"""The scheduler driver: its core, what it asks of the master, how it subscribes."""
