"""Executors: the driver of a user's executor, the executor of one command, and what both share."""
