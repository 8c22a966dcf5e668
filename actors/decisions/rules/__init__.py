"""Leaves below the cores: pure answers to one question each. They import nouns, never a core.

authorization      may whoever makes this call make it
grace              how long whoever is to end has time to do so
reconfiguration    may an agent come back with these facts
registry           what a durable change does to the registry
sandboxes          what the folder of a task is called
validation         may this task be launched, may this framework subscribe
work_outcome       how the end of a command is put into words
"""
