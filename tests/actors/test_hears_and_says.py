"""The table in each actor's file says what it hears and says; here that is compared with cores, messages and runs."""

from __future__ import annotations

import ast
import inspect
import itertools
import pathlib
import re
import sys
from collections import defaultdict
from typing import Any, get_args

import attrs
import pytest

import mesolite.messages.conversations
from mesolite import Simulation
from mesolite.actors import (
    agent,
    command_executor,
    elector,
    executor,
    master,
    operator,
    registrar,
    scheduler,
)
from mesolite.actors.actor import MesosActor
from mesolite.actors.decisions import contract, driver_calls
from mesolite.actors.decisions import operator as operator_decisions
from mesolite.actors.decisions.agent import AgentCore
from mesolite.actors.decisions.contract import Core, Send, TimerFired
from mesolite.actors.decisions.elector import ElectorCore
from mesolite.actors.decisions.executor.command import CommandExecutorCore
from mesolite.actors.decisions.executor.core import ExecutorCore
from mesolite.actors.decisions.master import MasterCore
from mesolite.actors.decisions.operator import OperatorCore
from mesolite.actors.decisions.registrar import RegistrarCore
from mesolite.actors.decisions.scheduler.core import SchedulerCore
from mesolite.actors.trace import Disturbed, Done, Ended, Lost, Record
from mesolite.gateway.agent_endpoint import AgentEndpointCore
from mesolite.gateway.master_endpoint import MasterEndpointCore
from mesolite.gateway.process_executor import ProcessExecutorCore
from mesolite.gateway.scheduler_stream import SchedulerStreamCore
from mesolite.messages.base import Message
from tests.seeds.scenario import PLAN

DECISIONS = pathlib.Path(inspect.getfile(contract)).parent
MODULES: dict[str, tuple[Any, type[MesosActor], type[Core]]] = {
    "master": (master, master.Master, MasterCore),
    "agent": (agent, agent.Agent, AgentCore),
    "elector": (elector, elector.Elector, ElectorCore),
    "registrar": (registrar, registrar.Registrar, RegistrarCore),
    "scheduler": (scheduler, scheduler.SchedulerActor, SchedulerCore),
    "executor": (executor, executor.ExecutorActor, ExecutorCore),
    "command_executor": (command_executor, command_executor.CommandExecutor, CommandExecutorCore),
    "operator": (operator, operator.OperatorActor, OperatorCore),
}
ACTORS = pytest.mark.parametrize("name", MODULES)
SEEDS = range(16)
OF_NO_ACTOR = {Disturbed, Done, Ended, Lost}
"""Records of what befell messages and actors; nobody handled those."""

WORDS = {"scheduler": "driver", "command_executor": "executor", "anybody": "any"}
"""What the table of messages calls an actor, where that is another word."""

IN_THE_GATEWAY = ("endpoint", "remote")
"""Those who speak HTTP for a master, an agent, a scheduler or an executor."""

SAID_BY_A_VERB = ("operator", "elector", "ExpireSession")
"""A simulation says it in the operator's name; no actor does."""

Table = dict[str, dict[str, list[str]]]


def table(name: str) -> Table:
    """The table of an actor's file: under Hears and Says, names by whom they are from or to."""
    found: Table = {"Hears": {}, "Says": {}}
    part, who = "", ""
    for line in MODULES[name][0].__doc__.splitlines():
        if line.strip() in found:
            part = line.strip()
        elif row := re.fullmatch(r" {8}(\S.{15})(.+)|( {24})(.+)", line):
            who = row[1].strip() if row[1] else who
            found[part].setdefault(who, []).extend((row[2] or row[4]).split())
    return found


def names(part: dict[str, list[str]]) -> set[str]:
    return {name for row in part.values() for name in row}


def kind(name: str) -> type:
    """The class of that name: a message, a driver's call, an event, an effect."""
    for module in (mesolite.messages, contract, driver_calls, operator_decisions):
        if hasattr(module, name):
            found: type = getattr(module, name)
            return found
    raise LookupError(f"there is neither a message nor an event nor an effect named {name}")


def word(who: str) -> str:
    return WORDS.get(who, WORDS.get(who.removesuffix("s"), who.removesuffix("s")))


def conversations() -> set[tuple[str, str, str]]:
    """Every hop of every message, as messages/conversations.py has it: from whom, to whom, what."""
    hops = set()
    for line in (mesolite.messages.conversations.__doc__ or "").splitlines():
        if row := re.match(r" {6}(\w+) +((?:\w+ -> )+\w+)  ", line):
            stations = row[2].split(" -> ")
            hops |= {(one, other, row[1]) for one, other in itertools.pairwise(stations)}
    return hops


def hops(part: str) -> set[tuple[str, str, str]]:
    """The same of all tables of actors, by what is heard or by what is said."""
    found = set()
    for name in MODULES:
        for who, row in table(name)[part].items():
            if who not in ("the runtime", "its driver", "its caller"):
                one, other = (word(who), word(name)) if part == "Hears" else (word(name), word(who))
                found |= {(one, other, said) for said in row}
    general = {said for one, other, said in conversations() if "any" in (one, other)}
    return {(_anybody(one, said in general), _anybody(other, said in general), said) for one, other, said in found}


def _anybody(end: str, general: bool) -> str:
    return "any" if general and end != "elector" else end


@ACTORS
def test_every_name_in_a_table_is_a_class_that_goes_that_way(name: str) -> None:
    """Events are heard, effects are asked of the runtime, and all else is a message or somebody's call."""
    mine = table(name)

    events = {kind(each) for each in mine["Hears"]["the runtime"]}
    effects = {kind(each) for each in mine["Says"]["the runtime"]}

    assert events <= contract.SYSTEM_EVENTS
    assert effects <= set(get_args(contract.Effect)) - {Send}
    assert {kind(each) for each in names(mine["Hears"])} - events
    assert len(names(mine["Hears"])) == sum(len(row) for row in mine["Hears"].values()), "a name is there twice"


@ACTORS
def test_the_class_has_the_core_that_its_file_names(name: str) -> None:
    """Each file is about one core, names it, and says what Mesos calls it or that Mesos has none."""
    module, actor, core = MODULES[name]

    text = " ".join(module.__doc__.split())

    assert f"{core.__name__}`" in text
    assert core.__name__ in inspect.getsource(actor.__init__)
    assert "In Mesos: `mesos::internal::" in text or "In Mesos there is no such process" in text


def test_what_one_says_another_hears() -> None:
    """And both are what the table of messages says, hop by hop; those of the gateway have no tables of their own."""
    assert hops("Hears") == {hop for hop in conversations() if hop[1] not in IN_THE_GATEWAY}
    assert hops("Says") == {hop for hop in conversations() if hop[0] not in IN_THE_GATEWAY} - {SAID_BY_A_VERB}


def test_whoever_speaks_http_hears_what_the_table_of_messages_says() -> None:
    """Endpoints hear what operators do, too; a remote scheduler is a driver, and a remote executor an executor."""
    def to(who: str, *, not_from: str = "") -> set[str]:
        return {said for one, other, said in conversations() if other == who and one != not_from}

    def heard(*cores: type[Core]) -> set[str]:
        return {each.__name__ for core in cores for each in core.HANDLERS if issubclass(each, Message)}

    assert heard(MasterEndpointCore, AgentEndpointCore) == to("endpoint") | {"CallAnswered", "QueryAnswered"}
    remotes = heard(SchedulerStreamCore, ProcessExecutorCore)
    assert remotes == to("remote") | to("driver", not_from="elector") | to("executor")


@ACTORS
def test_a_table_has_whatever_its_core_decides_on(name: str) -> None:
    """Of the tables of a core from events to handlers, every event is in the actor's table, and the reverse."""
    core = MODULES[name][2]
    heard = {kind(each) for each in names(table(name)["Hears"])}

    tables = [*vars(core).values(), *vars(sys.modules[core.__module__]).values()]
    in_tables = {each for one in tables if isinstance(one, dict) for each in one if isinstance(each, type)}
    events = {*contract.SYSTEM_EVENTS, *(kind(said) for _, _, said in conversations())}

    assert in_tables & events <= heard
    assert (TimerFired in heard) == bool(core.TIMERS)
    if core.handle is Core.handle:
        assert heard == {*core.HANDLERS, *core.IGNORED, *([TimerFired] if core.TIMERS else [])}


@ACTORS
def test_a_table_has_whatever_its_decisions_make(name: str) -> None:
    """A message or an effect that is made in the folder of a core is in the table of what its actor says."""
    folder = DECISIONS / ("executor" if name == "command_executor" else name)
    files = list(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]
    # Two kinds of executors share a folder; the core of the one says nothing of what the other does.
    other = {"executor": "command.py", "command_executor": "core.py"}.get(name)
    files = [file for file in files if file.name != other]
    sayable = {said for _, _, said in conversations()} | {each.__name__ for each in get_args(contract.Effect)}

    made = {
        node.func.id
        for file in files
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }

    assert made & sayable - {"Send"} <= names(table(name)["Says"])


def test_nothing_else_is_heard_or_said_in_runs_full_of_faults() -> None:
    """Every event handled and every effect wanted, by actors in random clusters, is in the table of that actor."""
    heard: dict[str, set[str]] = defaultdict(set)
    said: dict[str, set[str]] = defaultdict(set)
    of_core = {core: name for name, (_, _, core) in MODULES.items()}

    def scenario(sim: Simulation) -> None:
        def see(record: Record) -> None:
            context = sim.runtime.directory.find(record.actor)
            if context is not None and type(record.event) not in OF_NO_ACTOR:
                name = of_core[type(context.actor.core)]
                heard[name].add(type(record.event).__name__)
                wanted = (each.message if type(each) is Send else each for each in record.effects)
                said[name].update(type(each).__name__ for each in wanted)

        sim.trace.subscribe(see)
        PLAN.scenario(sim)

    watched = attrs.evolve(PLAN, scenario=scenario)
    for seed in SEEDS:
        assert watched.run(seed).error is None

    assert heard.keys() == MODULES.keys()
    for name in MODULES:
        assert heard[name] <= names(table(name)["Hears"]), name
        assert said[name] <= names(table(name)["Says"]), name
