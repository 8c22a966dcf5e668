"""Seed runs: many small clusters that are drained, reclaimed and broken at random, under checkers that are always on.

    frameworks   what runs: schedulers, executors, tasks          workload   clusters, and what operators ask of them
    faults       what goes wrong                                  healing    mending it, and giving everybody time
    tally        what was seen, counted                           run        one seed, from its number to its verdict
    mistakes     what decisions could get wrong, planted          teeth      after how many seeds each is found

What must hold is in mesolite/harness/checkers.
`python -m tests.seeds --seeds 10000 --processes 2` runs them; `python -m tests.seeds --seed 7` repeats one.
"""
