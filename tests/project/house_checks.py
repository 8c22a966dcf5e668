"""How the house rules look at code: a file read as a syntax tree, and one check per rule.

A check takes a `Source` and yields the line and what is wrong there. Which files a check is for, and what to
do instead, is said in the table of tests/project/test_house_rules.py.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from functools import cache, cached_property
from pathlib import Path

import pykka

ROOT = Path(__file__).resolve().parents[2]

FILE_LINES_MAX = 400
TEST_FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 50

# What the pure parts may import: nothing here can see a clock, a die, a file or another thread.
STANDARD = ["__future__", "abc", "bisect", "collections", "contextlib", "copy", "decimal", "difflib", "enum"]
STANDARD += ["fractions", "functools", "heapq", "ipaddress", "itertools", "math", "numbers", "operator", "re"]
STANDARD += ["string", "types"]
PLAIN = frozenset([*STANDARD, "typing", "attrs", "mesolite.messages"])

# Built-in functions that reach outside, or whose answer differs from one interpreter to the next.
WORLDLY_CALLS = frozenset({"open", "print", "input", "hash", "id", "globals", "exec", "eval"})

BANNED_IN_TESTS = {
    "time.sleep": "wait for an event with a timeout, or use the simulation and advance its clock",
    "asyncio": "the product has threads and virtual time; drive one of those",
    "unittest.mock": "write a small fake that keeps the contract",
    "pytest.mark.skip": "make it run, or delete it",
    "pytest.mark.skipif": "make it run everywhere, or delete it",
    "pytest.skip": "make it run, or delete it",
    "pytest.importorskip": "the test extra of setup.cfg lists what tests need",
    "pytest.mark.flaky": "find out what the test depends on, and control it",
}

# Put together from halves, so that this file does not find itself.
LEFTOVER_WORDS = ["TO" + "DO", "FIX" + "ME", "XX" + "X", "Not" + "ImplementedError"]
LEFTOVERS = re.compile(rf"\b({'|'.join(LEFTOVER_WORDS)})\b")


class Source:
    """One Python file: its path from the top folder, its text and its syntax tree."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """Every node of the tree, outer ones before inner ones."""
        return list(ast.walk(self.tree))

    @cached_property
    def imports(self) -> list[tuple[int, str, str]]:
        """Line, full dotted name and local name of everything imported, wherever it stands."""
        found = []
        for node in self.nodes:
            if isinstance(node, ast.Import):
                found += [(node.lineno, name.name, name.asname or name.name) for name in node.names]
            elif isinstance(node, ast.ImportFrom):
                origin = "." * node.level + (node.module or "")
                found += [(node.lineno, f"{origin}.{n.name}", n.asname or n.name) for n in node.names]
        return found


def sources(*places: str) -> list[Source]:
    """The Python files at these places, each once: what a link leads to is read at its real place."""
    found = []
    for place in places:
        top = ROOT / place
        paths = sorted(top.rglob("*.py")) if top.is_dir() else [top]
        found += [path for path in paths if path.is_file() and path.resolve() == path]
    return [_source(path) for path in found]


@cache
def _source(path: Path) -> Source:
    """Each file is read and parsed once for all rules."""
    return Source(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8"))


# --- checks: each yields the line and what is wrong there ---

Finding = tuple[int, str]


def longer_than(lines_max: int) -> Callable[[Source], Iterator[Finding]]:
    def long_file(source: Source) -> Iterator[Finding]:
        lines = source.text.count("\n")
        if lines > lines_max:
            yield lines, f"the file has {lines} lines"

    return long_file


def long_function(source: Source) -> Iterator[Finding]:
    for node in source.nodes:
        if isinstance(node, ast.FunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES_MAX:
                yield node.lineno, f"{node.name} has {lines} lines"


def leftover_word(source: Source) -> Iterator[Finding]:
    for number, line in enumerate(source.text.splitlines(), start=1):
        for word in LEFTOVERS.findall(line):
            yield number, word


def no_docstring(node: ast.ClassDef | ast.FunctionDef) -> Iterator[Finding]:
    if ast.get_docstring(node) is None:
        yield node.lineno, f"{node.name} has no docstring"


def undocumented_name(source: Source) -> Iterator[Finding]:
    for node in source.tree.body:
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) if not name.startswith("_"):
                yield from no_docstring(node)


def undocumented_test(source: Source) -> Iterator[Finding]:
    for node in source.nodes:
        match node:
            case ast.FunctionDef(name=name) if name.startswith("test_"):
                yield from no_docstring(node)


def import_outside(allowed: frozenset[str]) -> Callable[[Source], Iterator[Finding]]:
    """A check that finds imports of anything but the allowed packages and what is inside them."""

    def check(source: Source) -> Iterator[Finding]:
        for line, name, _ in source.imports:
            if not any(f"{name}.".startswith(f"{package}.") for package in allowed):
                yield line, f"imports {name}"

    return check


def worldly_call(source: Source) -> Iterator[Finding]:
    for node in source.nodes:
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in WORLDLY_CALLS:
                yield node.lineno, f"calls {name}()"


def banned_in_tests(source: Source) -> Iterator[Finding]:
    origins = {local: full for _, full, local in source.imports}
    used = [(line, full) for line, full, _ in source.imports]
    for node in source.nodes:
        if isinstance(node, ast.Attribute | ast.Name):
            first, dot, rest = ast.unparse(node).partition(".")
            used.append((node.lineno, f"{origins.get(first, first)}{dot}{rest}"))
    for line, name in sorted(set(used)):
        for banned, instead in BANNED_IN_TESTS.items():
            if f"{name}.".startswith(f"{banned}."):
                yield line, f"{name}: {instead}"


# Where a test of a runtime or of a core may look: it has made that one itself.
OWN_INSIDES = ("tests/actors/", "tests/rules/", "tests/runtime/", "tests/containerizer/")


BROKEN_ON_PURPOSE = "breaks a core, or asks one that runs on threads, which no user can"
FORGED = "says or stores what no actor of ours would, past the checks of the verbs"
TIMERS_AND_RULES = "counts what is left over: timers, rules, cuts, lives; users have no need to see them"
PLANTED = "plants a mistake in the product"

REACHES_INSIDE = {
    "tests/inside.py": "this is where tests reach in, each way once",
    "tests/scenarios/schedulers.py": "compares the books of all actors with each other, after nearly every scenario",
    "tests/cluster/real_commands.py": "waits as long as it must, and tells the whole trace if that is too long",
    "tests/cluster/kills.py": "failures of our own code, which no user hears of otherwise",
    "tests/cluster/test_starting_commands.py": "the same",
    "tests/cluster/test_blocking_callbacks.py": "the thread of a callback that does not return",
    "tests/cluster/test_closing.py": "the very moment at which closing begins",
    "tests/cluster/test_driver_ends_for_real.py": "is still being called when its driver ends",
    "tests/cluster/test_failures_for_real.py": BROKEN_ON_PURPOSE,
    "tests/cluster/test_reading_for_real.py": BROKEN_ON_PURPOSE,
    "tests/cluster/test_user_errors_for_real.py": BROKEN_ON_PURPOSE,
    "tests/harness/test_fault_kinds.py": TIMERS_AND_RULES,
    "tests/scenarios/test_draining.py": "ends every actor without a word, so that nothing is to come",
    "tests/scenarios/test_election.py": "claims a store as a successor would",
    "tests/scenarios/test_executors_say.py": FORGED,
    "tests/scenarios/test_live_timers.py": TIMERS_AND_RULES,
    "tests/scenarios/test_lost_in_a_partition.py": "makes an executor's code say something without being called",
    "tests/scenarios/test_queries.py": "puts queries to masters that do not lead, and facts of lives that are over",
    "tests/scenarios/test_reconfiguration.py": "ends a hold without letting go or losing what it holds",
    "tests/scenarios/test_recovery.py": FORGED,
    "tests/scenarios/test_registration.py": "what an agent says of itself before it has said it",
    "tests/scenarios/test_registry.py": FORGED,
    "tests/scenarios/test_unreachable_tasks.py": "an agent that has forgotten a task, which ours never does",
    "tests/scenarios/test_user_errors.py": "waits on a future as a thread of Pykka's would",
    "tests/scenarios/test_what_cannot_be_stored.py": FORGED,
    "tests/scenarios/unstorable.py": FORGED,
    "tests/seeds/mistakes/agents.py": PLANTED,
    "tests/seeds/mistakes/answers.py": PLANTED,
    "tests/seeds/mistakes/drivers.py": PLANTED,
    "tests/seeds/mistakes/endings.py": PLANTED,
    "tests/seeds/mistakes/masters.py": PLANTED,
    "tests/seeds/mistakes/offers.py": PLANTED,
    "tests/seeds/mistakes/registries.py": PLANTED,
    "tests/seeds/mistakes/sayings.py": PLANTED,
    "tests/simulation/test_partitions.py": TIMERS_AND_RULES,
    "tests/simulation/test_standstill.py": TIMERS_AND_RULES,
    "tests/simulation/test_verbs.py": TIMERS_AND_RULES,
    "tests/trace/test_causes.py": TIMERS_AND_RULES,
    "tests/trace/test_states.py": "compares what a reader of the trace derives with the books of the leader",
}
"""Which tests reach inside all the same, and why. A new one needs a reason that no public way, and no core, gives."""


def reaches_inside(source: Source) -> Iterator[Finding]:
    """Somebody else's runtime, or the core of an actor that runs: `sim.runtime.`, `actor.core`, `_private`."""
    if source.path.startswith(OWN_INSIDES):
        return
    for node in source.nodes:
        match node:
            case ast.Attribute(value=ast.Attribute(attr="runtime") as whose):
                yield node.lineno, f"reaches into {ast.unparse(whose)}"
            case ast.Attribute(attr="core", value=ast.Attribute(attr="actor")):
                yield node.lineno, f"reaches into {ast.unparse(node)}"
            case ast.For(iter=ast.Attribute(attr="runtime" | "directory") as whose):
                yield node.lineno, f"reaches into {ast.unparse(whose)}"
    for number, line in enumerate(source.text.splitlines(), start=1):
        if "noqa: SLF" + "001" in line:
            yield number, "uses what is private"


# What Pykka keeps for itself, by name. Those of the second row are too common to be looked for outside its own classes.
PYKKA_OWN = {name for name in dir(pykka.ThreadingActor) if re.match("_(?!_|abc_)", name)} | {"_ActorStop"}
PYKKA_OWN_IN_ITS_CLASSES = {"_stop", "_result", "_condition", "_get_hook", "_actor_ref"}


def private_pykka(source: Source) -> Iterator[Finding]:
    for line, name, _ in source.imports:
        if re.match(r"pykka\..*\b_", name):
            yield line, f"imports {name}"
    of_its_classes = [node for node in source.nodes if isinstance(node, ast.ClassDef) and is_pykka(source, node)]
    inside = {inner for cls in of_its_classes for inner in ast.walk(cls)}
    for node in source.nodes:
        match node:
            case ast.Attribute(attr=name) | ast.FunctionDef(name=name):
                own = PYKKA_OWN | PYKKA_OWN_IN_ITS_CLASSES if node in inside else PYKKA_OWN - PYKKA_OWN_IN_ITS_CLASSES
                if name in own:
                    yield node.lineno, f"uses {name}"


def is_pykka(source: Source, node: ast.ClassDef) -> bool:
    origins = {local: full for _, full, local in source.imports}
    bases = [ast.unparse(base).partition(".") for base in node.bases]
    return any(f"{origins.get(first, first)}.".startswith("pykka.") for first, _, _ in bases)


# --- the longest check: where does the order of a set become visible? ---

SET_TYPE = re.compile(r"^(typing\.)?(set|frozenset|AbstractSet|Set|MutableSet)\b")
DICT_OF_SETS_TYPE = re.compile(r"^(dict|defaultdict|Mapping|MutableMapping)\[.*, (set|frozenset)\[[^,]*\]\]$")
SET_METHODS = frozenset({"union", "intersection", "difference", "symmetric_difference"})
ORDER_SEEN_BY = frozenset({"list", "tuple", "iter", "enumerate", "map", "filter", "zip", "sum"})
ORDER_SEEN_BY |= {"join", "extend", "fromkeys"}
ORDER_HIDDEN_BY = frozenset({"sorted", "set", "frozenset", "any", "all", "len"})


def last_name(node: ast.AST) -> str | None:
    """What an expression is called at its end: `remaining` for `self.drain.remaining`."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name) | ast.FunctionDef(name=name):
            return name
        case _:
            return None


def declared(source: Source, kind: re.Pattern[str]) -> set[str | None]:
    """Names this file annotates with a type of this kind, and never with another."""
    of_kind: set[str | None] = set()
    others: set[str | None] = set()
    for node in source.nodes:
        match node:
            case ast.AnnAssign(target=target, annotation=note):
                name = last_name(target)
            case ast.arg(annotation=ast.AST() as note) | ast.FunctionDef(returns=ast.AST() as note):
                name = last_name(node)
            case _:
                continue
        (of_kind if kind.match(ast.unparse(note)) else others).add(name)
    return of_kind - others


def iterated_set(source: Source) -> Iterator[Finding]:
    names, tables = declared(source, SET_TYPE), declared(source, DICT_OF_SETS_TYPE)

    def is_set(node: ast.AST) -> bool:
        match node:
            case ast.Set() | ast.SetComp():
                return True
            case ast.BinOp(op=ast.BitOr() | ast.BitAnd() | ast.Sub() | ast.BitXor(), left=left, right=right):
                return any(is_set(side) or ast.unparse(side).endswith(".keys()") for side in (left, right))
            case ast.Subscript(value=table) | ast.Call(func=ast.Attribute(value=table, attr="get" | "pop")):
                return last_name(table) in tables
            case ast.Call(func=function):
                return last_name(function) in names | SET_METHODS | {"set", "frozenset"}
            case _:
                return last_name(node) in names

    hidden: set[ast.AST] = set()  # filled in time, as outer nodes come first
    for node in source.nodes:
        seen: list[ast.expr] = []
        match node:
            case ast.Call(func=function, args=arguments) if last_name(function) in ORDER_HIDDEN_BY:
                hidden.update(arguments)
            case ast.Call(func=function, args=arguments) if last_name(function) in ORDER_SEEN_BY:
                seen = arguments
            case ast.Call(func=ast.Attribute(value=value, attr="pop"), args=[]):
                seen = [value]
            case ast.List(elts=elements) | ast.Tuple(elts=elements):
                seen = [element.value for element in elements if isinstance(element, ast.Starred)]
            case ast.For(iter=value):
                seen = [value]
            case ast.ListComp() | ast.GeneratorExp() | ast.DictComp():
                seen = [generator.iter for generator in node.generators]
        if node not in hidden:
            yield from ((each.lineno, f"{ast.unparse(each)} has no order") for each in seen if is_set(each))
