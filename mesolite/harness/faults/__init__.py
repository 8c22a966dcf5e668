"""What goes wrong in a run: kinds of faults, how often each happens, and who makes them happen.

machines, network, disks   what goes wrong with machines, between actors, with disks
operators                  what operators ask for meanwhile
shapes                     several in a row: rolling restarts, lost racks
faults                     `Faults`: how often which kind happens
injector                   makes them happen during a run, drawn or from a script
"""

from mesolite.harness.faults.faults import KINDS, Fault, Faults

__all__ = ["KINDS", "Fault", "Faults"]
