"""Resources are asked back by a deadline and then revoked: the rule, the flow, the view."""
