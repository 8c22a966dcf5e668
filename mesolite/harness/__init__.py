"""The harness: find, shrink and replay any bad ordering of events.

It stands on `mesolite.simulation`, which knows nothing of it.

checkers   what must hold whatever happens, of Mesolite and of who uses it
"""
