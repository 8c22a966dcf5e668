"""The containerizer: starts commands, watches them, kills them, and removes what they leave behind.

    commands          each agent's commands, in their sandboxes; told to the actor that asked
    host              the host's side of an agent's launcher     launcher/        the process that starts and kills
    work_folder       the folder that a cluster was given        temporary_folder  the one that goes with it
    removal           folders of any depth, and what cannot be removed

A place for isolators, of which there is none yet: `Commands` is given the whole `Run`, with the resources that the task
is to be held to, and each work passes two points there. `_start` comes before its start: what an isolator prepares, and
changes in the command, belongs there, and what it raises fails the task. `_over` comes when nothing of it is left:
there an isolator cleans up, and says what it knows of the end.
"""
