"""Mesolite measured, each time beside something else in the same run: `python -m benchmarks [NAME ...]`.

    startup     ten agents on threads, to the first offer; beside Dask's LocalCluster
    commands    1,000 short commands; beside a bare loop of Popen
    drain_now   SIGUSR1 with 100 running tasks; beside killing 100 bare processes
    messages    1,000 actors on virtual time; beside SimPy and Pykka's own threads
    silence     the story of a machine that falls silent, simulated; beside as many bare SimPy events

Rule: a figure alone says more about the machine than about us, so each has a ratio to what was measured beside it.
A round measures ours and theirs in turn, and a ratio is the median over rounds, so that noise hits both alike.
Nothing here fails for being slow; a goal that was missed is said to be missed.
"""
