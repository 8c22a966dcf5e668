"""Programs that use mesolite as anybody would.

To read and to copy, each but `naive` run by itself, as in `.venv/bin/python examples/hello.py` after `make demo`:

    hello               one shell command on each of three agents, and what it wrote
    drain_now           SIGUSR1: tasks are lost at once, and run again elsewhere
    drain_with_grace    SIGTERM, the grace, SIGKILL; whom a drain waits for
    maintenance         a machine will be away: its framework is asked to leave, and does
    reclaim             two cpus back by a deadline, whether or not the framework answers
    in_asyncio          a cluster in an asyncio program
    naive               a scheduler with a fault that `mesolite explore` finds, and the mend
    from_pymesos        a scheduler written for pymesos: for real, and under faults that find what it forgets

`schedulers` holds the grown-up ones: `Shop` loses nothing, whatever happens. `page`, `operating` and `endings` belong
to demo.py.
"""
