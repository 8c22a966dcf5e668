"""Mesolite measured, each time beside something else in the same run: `python -m benchmarks [NAME ...]`.

    startup     ten agents on threads, to the first offer; beside Dask's LocalCluster
    commands    1,000 short commands; beside a bare loop of Popen, and Dask's LocalCluster
    drain_now   SIGUSR1 with 10, 100 and 1,000 running tasks; beside killing as many bare processes
    idle        what 100 agents cost that have nothing to do; beside Dask's LocalCluster
    messages    1,000 actors on virtual time, and pairs on threads; beside a bare deque, Pykka, SimPy
    silence     the story of a machine that falls silent, simulated; beside as many bare SimPy events
    allocator   the cycle Mesos published, and a cluster of mixed frameworks; beside the next smaller size
    scale       simulated clusters of up to 20,000 agents; beside one of 1,000
    growth      what must cost the same per machine, task or message, however many; beside a quarter of them
    flat        a simulated week, and 1,000 clusters one after another; beside the first of them

    python -m benchmarks.flame     where the time of a simulation goes, as text
    python -m benchmarks.check     whether something has become slower than what is recorded
    python -m benchmarks.others    the same commands on Dask's and on Ray's local cluster

Rule: a figure alone says more about the machine than about us, so each has a ratio to what was measured beside it.
A round measures ours and theirs in turn, and a ratio is the median over rounds, so that noise hits both alike.
Nothing here fails for being slow, except the check; a goal that was missed is said to be missed.
"""
