"""The rules of the house, as tests: what the linter, the type checker and the import contracts do not say.

`RULES` is the table to read: one row per rule, with the files it governs, what to do instead, and code that
breaks it. That code is tried too, so that no rule goes blind unnoticed. The checks: tests/project/house_checks.py.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from attrs import field, frozen

from tests.project import house_checks as checks
from tests.project.house_checks import PLAIN, ROOT, Finding, Source, import_outside, sources

pytestmark = pytest.mark.slow

DECISIONS = "actors/decisions"
CODEC = tuple(f"messages/codec/{name}.py" for name in ("__init__", "readers", "mistakes"))
PRODUCT = ("actors", "messages", "mesolite", "demo.py")


@frozen
class Rule:
    """What must hold, where, what to do instead, how it is checked, and code that breaks it."""

    says: str
    governs: tuple[str, ...]
    instead: str
    check: Callable[[Source], Iterator[Finding]]
    broken_by: tuple[str, ...] = field(repr=False)
    unless: tuple[str, ...] = ()


RULES = [
    Rule(
        says="product files have at most 400 lines",
        governs=PRODUCT,
        instead="split it where its docstring needs an 'and'",
        check=checks.longer_than(checks.FILE_LINES_MAX),
        broken_by=("a = 1\n" * (checks.FILE_LINES_MAX + 1),),
    ),
    Rule(
        says="test files have at most 500 lines",
        governs=("tests",),
        instead="split it by noun, and give what both halves need a file with the name of what it is",
        check=checks.longer_than(checks.TEST_FILE_LINES_MAX),
        broken_by=("a = 1\n" * (checks.TEST_FILE_LINES_MAX + 1),),
    ),
    Rule(
        says="product functions have at most 50 lines",
        governs=PRODUCT,
        instead="keep the branching here, move loops and arithmetic to named helpers",
        check=checks.long_function,
        broken_by=("def f():\n" + "    a = 1\n" * checks.FUNCTION_LINES_MAX,),
    ),
    Rule(
        says="nothing is left for later",
        governs=(*PRODUCT, "tests", "examples", "benchmarks", "pages"),
        instead="do it now or leave it out",
        check=checks.leftover_word,
        broken_by=("# TO" + "DO: later", "raise Not" + "ImplementedError"),
    ),
    Rule(
        says="public classes and functions say what they are for",
        governs=PRODUCT,
        instead="write a docstring: shape, units, errors, spec ids",
        check=checks.undocumented_name,
        broken_by=("class Offer: pass", "def offer(): pass"),
    ),
    Rule(
        says="every test says what must hold",
        governs=("tests",),
        instead="write the claim as the docstring",
        check=checks.undocumented_test,
        broken_by=("def test_it(): pass", "class TestIt:\n    def test_it(self): pass"),
    ),
    Rule(
        says="messages import attrs and nothing of the world",
        governs=("messages",),
        instead="keep it a value; what needs the import belongs in actors",
        # timedelta is a value that people give where seconds are wanted; the clock beside it is not looked at.
        check=import_outside(PLAIN | {"datetime.timedelta"}),
        broken_by=("import cattrs", "from mesolite.actors import errors", "import time"),
        unless=CODEC,
    ),
    Rule(
        says="the codec imports cattrs, json, base64 and difflib besides",
        governs=CODEC,
        instead="keep files and sockets out of it: text in, text out",
        check=import_outside(PLAIN | {"cattrs", "json", "base64", "difflib"}),
        broken_by=("import pathlib",),
    ),
    Rule(
        says="decisions import nothing of the world",
        governs=(DECISIONS,),
        instead="take it in with the event, or return an effect that asks for it",
        # A digest is a function of its text alone, in every process: it names the folder of a long id.
        check=import_outside(PLAIN | {"mesolite.actors.decisions", "mesolite.actors.errors", "hashlib"}),
        broken_by=("def f():\n    from random import random", "from mesolite.actors import runtime"),
    ),
    Rule(
        says="decisions call nothing of the world",
        governs=(DECISIONS,),
        instead="return an effect; for identity use ids and names",
        check=checks.worldly_call,
        broken_by=("print(1)", "key = hash('agent-1')"),
    ),
    Rule(
        says="decisions never iterate over a set",
        governs=(DECISIONS,),
        instead="iterate over sorted(...), or keep the things in a dict",
        check=checks.iterated_set,
        broken_by=(
            "for a in {1, 2}: pass",
            "b = [a for a in set(c)]",
            "b = list(frozenset(c))",
            "def f(gone: set[str]):\n    for a in gone: pass",
            "class A:\n    gone: frozenset[str]\n    def f(self):\n        return tuple(self.gone)",
            "of: dict[str, set[str]]\nfor a in of['b']: pass",
            "for a in old.keys() - new.keys(): pass",
            "for a in b.union(c): pass",
            "def f() -> set[str]: ...\nb = [*f()]",
            "b = ', '.join({'a', 'b'})",
            "gone: set[str] = set()\na = gone.pop()",
        ),
    ),
    Rule(
        says="one module knows the inside of Pykka",
        governs=(*PRODUCT, "tests", "examples", "benchmarks"),
        instead="use what actors/runtime/pykka_inside.py makes of it",
        check=checks.private_pykka,
        broken_by=(
            "from pykka._envelope import Envelope",
            "from pykka.messages import _ActorStop",
            "import pykka._actor",
            "actor._actor_loop_running()",
            "ref.tell(pykka.messages._ActorStop())",
            "class MesosActor(Hosted):\n    def _handle_receive(self, message): pass",
            "import pykka\nclass Future(pykka.ThreadingFuture[int]):\n    def ready(self): return self._result",
            "from pykka import Actor\nclass Player(Actor):\n    def _stop(self): pass",
        ),
        # What is relied on is tried in the second, and the third measures Pykka by itself.
        unless=("actors/runtime/pykka_inside.py", "tests/runtime/test_pykka_hooks.py", "benchmarks/messages.py"),
    ),
    Rule(
        says="tests reach into no runtime and no running core",
        governs=("tests",),
        instead="use sim.view, sim.trace, operator.state(), tests/inside.py, or test the core (tests/actors)",
        check=checks.reaches_inside,
        broken_by=(
            "sim.runtime.directory.find('agent-1')",
            "for context in cluster.runtime: pass",
            "context.actor.core.check()",
            "a = b._c  # noqa: SLF" + "001",
        ),
        unless=tuple(checks.REACHES_INSIDE),
    ),
    Rule(
        says="tests do not sleep, mock, skip or try again",
        governs=("tests",),
        instead="control what the test depends on",
        check=checks.banned_in_tests,
        broken_by=(
            "import time\ntime.sleep(1)",
            "from time import sleep as nap\nnap(1)",
            "from unittest.mock import Mock",
            "from unittest import mock",
            "import pytest\n@pytest.mark.skip\ndef test_it(): pass",
            "import pytest\n@pytest.mark.flaky(reruns=3)\ndef test_it(): pass",
        ),
    ),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.says)
def test_rule_is_kept(rule: Rule) -> None:
    """Every file the rule governs keeps it."""
    breaches = [
        f"{source.path}:{line}: {what}; {rule.instead}"
        for source in sources(*rule.governs)
        if source.path not in rule.unless
        for line, what in rule.check(source)
    ]

    assert not breaches, f"{rule.says}:\n" + "\n".join(breaches)


@pytest.mark.parametrize(
    ("rule", "code"),
    [(rule, code) for rule in RULES for code in rule.broken_by],
    ids=[f"{rule.says}, example {n}" for rule in RULES for n, _ in enumerate(rule.broken_by, start=1)],
)
def test_rule_finds_what_breaks_it(rule: Rule, code: str) -> None:
    """A rule whose own example passes is checking nothing."""
    assert list(rule.check(Source("example.py", code)))


@pytest.mark.parametrize("path", checks.REACHES_INSIDE)
def test_who_may_reach_inside_does(path: str) -> None:
    """The list holds nobody who has no need of it any more."""
    (source,) = sources(path)

    assert list(checks.reaches_inside(source)), f"take {path} out of REACHES_INSIDE"


@pytest.mark.parametrize(
    "code",
    [
        "for a in sorted({1, 2}): pass",
        "b = sorted(a for a in set(c))",
        "b = {a for a in set(c)}",
        "b = any(a for a in {1, 2})",
        "def f(gone: dict[str, None]):\n    for a in gone: pass",
        "left = total - used\nfor a in left: pass",
    ],
)
def test_a_set_may_be_read_where_its_order_cannot_be_seen(code: str) -> None:
    """Sorting, collecting into another set and asking any/all are not iterations in the rule's sense."""
    assert not list(checks.iterated_set(Source("example.py", code)))


def test_contributors_read_every_rule() -> None:
    """The list for contributors is this table, in its order."""
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")

    assert re.findall("^- ([a-z].*)$", page, re.MULTILINE) == [rule.says for rule in RULES]


# --- rules about the tree as a whole ---


def test_message_class_names_are_unique() -> None:
    """A class name is the tag on the wire, so two classes of one name could not be told apart."""
    classes = [
        (node.name, f"{source.path}:{node.lineno}")
        for source in sources("messages")
        for node in source.tree.body
        if isinstance(node, ast.ClassDef)
    ]
    count = Counter(name for name, _ in classes)

    twice = [f"{place}: {name}" for name, place in classes if count[name] > 1]

    assert not twice, "rename all but one:\n" + "\n".join(twice)


@pytest.mark.parametrize("name", ["setup.cfg", "pyproject.toml", "actors", "messages", "tests", "demo.py"])
def test_required_name_stands_at_the_top(name: str) -> None:
    """The owner of the project wants these six names in the top folder."""
    assert (ROOT / name).exists(), f"put {name} back into the top folder"


@pytest.mark.parametrize("name", ["actors", "messages"])
def test_storey_is_reached_through_a_relative_link(name: str) -> None:
    """The real folder stands at the top, and the package holds a link that works in any checkout."""
    link = ROOT / "mesolite" / name

    assert link.is_symlink(), f"make it one: ln -s ../{name} mesolite/{name}"
    assert str(link.readlink()) == f"../{name}"
