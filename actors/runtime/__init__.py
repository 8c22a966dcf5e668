"""What both runtimes share: the port that actors speak to, and what stands behind it whatever the clock.

    port        what a runtime must do; what an actor is born with      directory   names, lives, links
    timeline    what is due when                                        store       memory, SQLite
    future      the future behind ref.ask                               event_stream  what actors made known
    disk        what can go wrong with what is written                  timeout     how long to wait at most
    pykka_inside  everything of Pykka that Pykka does not promise       thread      to be waited for, again after Ctrl-C

The runtimes are actors/threads (real time, real commands) and mesolite/simulation (virtual time).
"""
