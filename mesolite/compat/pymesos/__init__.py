"""What pymesos 0.3.15 offers to schedulers and executors, in process: on a `Cluster`, or in a `Simulation`.

    from mesolite.compat.pymesos import MesosSchedulerDriver, Scheduler, on      # was: from pymesos import ...

    with on(cluster, executors={"my-executor": MyExecutor}):
        driver = MesosSchedulerDriver(MyScheduler(), framework, "zk://...", use_addict=True)
        driver.start()

Written from what pymesos documents and does; none of its code is here. docs/pymesos.md says what works and what not.

    interface    what people derive from: `Scheduler`, `Executor`
    dicts        `Dict`, as addict's; base64
    reading      their dicts, checked, become our nouns
    writing      our nouns become the dicts that they expect
    sealed       what only they understand travels with a task or a status, untouched
    place        which cluster a driver belongs to
    scheduler    `MesosSchedulerDriver`
    executor     `MesosExecutorDriver`
"""

from mesolite.compat.pymesos.dicts import Dict, decode_data, encode_data
from mesolite.compat.pymesos.executor import MesosExecutorDriver
from mesolite.compat.pymesos.interface import Executor, Scheduler
from mesolite.compat.pymesos.place import on
from mesolite.compat.pymesos.scheduler import MesosSchedulerDriver

__all__ = [
    "Dict",
    "Executor",
    "MesosExecutorDriver",
    "MesosSchedulerDriver",
    "Scheduler",
    "decode_data",
    "encode_data",
    "on",
]
