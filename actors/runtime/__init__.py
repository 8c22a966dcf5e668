"""The world behind the port: threads, time, storage, processes. It decides nothing.

    port        what a runtime must do; what an actor is born with          directory   names, lives, links
    on_threads  the threads runtime                                         pool        workers, own threads
    clock       real timers                                                 store       memory, SQLite
    commands    each agent's commands                                       processes   the host's side of the launcher
    launcher    the process that starts and kills commands                  future      the future behind ref.ask

The virtual runtime is in mesolite/simulation.
"""
