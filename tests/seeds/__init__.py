"""Seed runs: many small clusters that are drained, reclaimed and broken at random, under checkers that are always on.

    frameworks   what runs: schedulers, executors, tasks       scenario   the cluster of a seed, and what befalls it
    acts         what operators ask for; how schedulers die    mistakes   what decisions could get wrong, planted
    teeth        after how many seeds each is found

`mesolite.harness` explores the scenario: its faults come besides, and what must hold are its checkers.
`python -m tests.seeds --seeds 10000 --processes 2` runs them; `python -m tests.seeds --seed 7` repeats one.
"""
