"""The launcher: a program of its own that starts, reaps and kills the commands of one agent.

    host --requests-->  launcher  --posix_spawn, each in its own session-->  commands
    host <--reports---            <--SIGCHLD, and whatever they left behind--

Rule: standard library only and little of it (an agent's first command waits until this has started), one thread, never
waits for the host, no request ends it, and nothing it started outlives it.

    __main__       starts it                            supervisor     starts, reaps and kills on request
    program        serves until the host is gone        works          whose each process is
    host_channel   the socket to the host               starting       how one command is started
                                                        process_table  what the kernel says of processes

It is a subreaper: what a command leaves behind becomes its child, not one of init. So one small file, the list of its
children, tells at each exit whether anything is left. To kill is to walk down from that list, stopping each process
before its children are looked up, until a walk meets no new one and all have stopped: nothing forks its way out.

To which work a process belongs is told by its ancestors, of orphans by their session or the mark in their environment.
A daemon without all three (setsid, double fork, `env -i`) has *escaped*: it goes when all that can have started it, its
*candidates*, have. The launcher leaves, killing everything first, when the host closes the socket or dies, and on
SIGTERM or SIGHUP. Not on Linux, a work is its process group; daemons that left it are not found.
"""
