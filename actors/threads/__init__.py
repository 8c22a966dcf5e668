"""The threads runtime: real time, real commands.

runtime     implements the port: actors, storage, links            pool        workers, own threads
clock       fires timers                                            commands    each agent's commands, in sandboxes
processes   the host's side of the launcher                         launcher    the process that starts and kills
thread      a thread to wait for, again after Ctrl-C                folders     the temporary folder of a cluster
removal     folders of any depth, and what cannot be removed
"""
