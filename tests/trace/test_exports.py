"""A trace for other readers: what its page is made of, lines of JSON, a diagram; and what hostile names do to them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mesolite import CommandInfo, FrameworkInfo, Refused, Simulation, TaskInfo
from mesolite.actors.trace import Done, Record, Trace, TraceFailure
from mesolite.actors.trace.exports.lanes import lanes
from mesolite.actors.trace.exports.page import SORTS, page_data
from mesolite.messages.ids import TaskId
from tests.browser.runs import RUNS, failover, partition, sigusr1, stage
from tests.scenarios.schedulers import Launcher, command_task

HOSTILE = (
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "/*data*/ /*scripts*/",
    "\u202eright to left",
    "\u2028\u2029",
    "snow\N{SNOWMAN} \N{GRINNING FACE}",
    "n" * 255,
)


def data_of(trace: Trace) -> dict[str, Any]:
    return page_data(list(trace), trace.names, trace.head)


def as_written(data: dict[str, Any]) -> Any:
    return json.loads(json.dumps(data))


def given_in(page: str) -> Any:
    """The data in a page, as a browser takes it out."""
    (data,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    return json.loads(data)


def unpacked(differences: list[int]) -> list[int]:
    total, values = 0, []
    for each in differences:
        total += each
        values.append(total)
    return values


def lines_of(data: dict[str, Any], place: int, micros: int, *, everything: bool) -> list[str]:
    """The lines of one record, as a page puts them together."""
    columns, strings = data["columns"], data["strings"]
    rows = [(strings[columns["who"][place]], strings[columns["what"][place]])]
    rest = [strings[each] for each in data["rest"].get(str(place), [])]
    shown = [*(rows if everything or not columns["flags"][place] & 3 else []), *zip(rest[::2], rest[1::2], strict=True)]
    return [f"{(micros + 500) // 1000 / 1000:9.3f}  {who:<24}  {what}" for who, what in shown]


@pytest.mark.parametrize("name", ["sigusr1", "failover", "reclaim", "partition", "hold"])
def test_the_rows_of_a_page_are_the_text_of_the_trace(name: str) -> None:
    """Nothing is worded twice: what a page shows without being asked is `trace.text()`, line for line."""
    trace = RUNS[name]()
    data = as_written(data_of(trace))

    times = unpacked(data["columns"]["time"])
    lines = [text for place, micros in enumerate(times) for text in lines_of(data, place, micros, everything=False)]
    assert "\n".join(lines) == trace.text()


def test_moments_and_states_are_those_of_the_trace() -> None:
    """What happened, and what state everything was in, comes from the readers of the trace."""
    trace = failover()
    data = data_of(trace)
    index = unpacked(data["columns"]["index"])

    assert [(index[at], words) for at, _, _, words in data["moments"]] == [
        (moment.index, moment.words) for moment in trace.moments()
    ]
    assert data["states"] == list(map(str, trace.states()))


@pytest.mark.parametrize("name", ["t1", "m1-D1", "odd name", "t1.2"])
def test_a_story_is_that_of_the_trace(name: str) -> None:
    """Which records are the story of a task or a drain is as `trace.story(id)` says, whatever the id is made of."""
    sim = Simulation(seed=1)
    cluster = sim.cluster()
    tasks = [command_task(each, resources="cpus:0.1;mem:32") for each in ("t1", "t1.2", "odd name")]
    cluster.run(Launcher(*tasks), FrameworkInfo(name="web"))
    sim.advance(5.0)
    cluster.operator.drain("agent-1")
    sim.advance(5.0)
    data = as_written(data_of(sim.trace))

    times = unpacked(data["columns"]["time"])
    chosen = unpacked(data["stories"][name])
    lines = [text for place in chosen for text in lines_of(data, place, times[place], everything=True)]
    assert "\n".join(lines) == sim.trace.story(name)


def test_causes_lead_back_to_the_same_records() -> None:
    """How far back a cause is, is counted in records that are kept; one that has fallen out is said to have."""
    trace = Trace(30)
    for number in range(100):
        trace.record(number * 0.1, "a", "b", Done("crash", ("a",), "a.crash()"), (), number - 20 if number > 20 else -1)
    data = data_of(trace)
    kept = list(trace)

    for place, back in enumerate(data["columns"]["cause"]):
        if back > 0:
            assert kept[place - back].index == kept[place].cause
        else:
            assert back == -1
            assert kept[place].cause < kept[0].index
    assert data["head"]["fallen"] == 70


def test_times_are_those_that_texts_print() -> None:
    """A time is carried so that rounding it for print gives what Python prints of the number it was."""
    trace = Trace()
    times = [0.0, 0.0624996, 0.0625, 0.1235, 1.0005, 2.5e-7, 59.9995, 1234.5678949]
    for time in times:
        trace.record(time, "a", "", Done("crash", ("a",), "a.crash()"), (), -1)

    micros = unpacked(data_of(trace)["columns"]["time"])
    assert [f"{(each + 500) // 1000 / 1000:.3f}" for each in micros] == [f"{time:.3f}" for time in times]


def test_lanes_stand_in_order() -> None:
    """Operator, schedulers, masters, their registrar, agents in the order of their numbers with executors behind."""
    records = [
        Record(place, 0.0, actor, "", None, (), -1)
        for place, actor in enumerate(
            ["agent-10/m1-F1/t1", "elector", "agent-2", "web", "master-1/registrar", "master-1", "operator", "agent-10"]
        )
    ]

    stand = lanes(records, Trace().names)
    assert list(stand) == [
        "operator", "web", "master-1", "registrar", "agent-2", "agent-10", "agent-10/m1-F1/t1", "elector",
    ]  # fmt: skip
    assert (stand["agent-10/m1-F1/t1"].name, stand["agent-10/m1-F1/t1"].at) == ("t1", "agent-10")


def bars_of(trace: Trace, name: str) -> dict[str, Any]:
    return next(row for row in data_of(trace)["bars"] if row["name"] == name)


def test_belief_stands_above_truth() -> None:
    """A failover hides an end: the process has ended, its scheduler takes it for running, and hears of it late."""
    row = bars_of(failover(), "t1")

    assert [bar[2] for bar in row["bars"] if bar[4] == 1] == ["up", "up", "up", "untold"]
    assert [bar[2] for bar in row["bars"] if bar[4] == 2] == ["up", "leaving", "leaving"]
    assert [mark[3] for mark in row["marks"]] == ["TERM", "KILL", "ended by SIGKILL", "KILLED DRAINED"]


def test_nobody_leads_where_no_master_says_so() -> None:
    """Between the crash of a leader and the recovery of the next one nobody leads."""
    row = bars_of(failover(), "leader")

    assert [bar[2] for bar in row["bars"]] == ["tell", "nobody", "tell"]
    assert row["bars"][0][1] == row["bars"][1][0]
    assert row["bars"][1][1] == row["bars"][2][0]


def test_many_drains_share_a_row() -> None:
    """More than three drains are one row with their number."""
    sim, cluster = stage()
    for _ in range(4):
        cluster.operator.drain("agent-1")
        sim.advance(5.0)
        cluster.operator.reactivate("agent-1")
        sim.advance(5.0)

    assert bars_of(sim.trace, "drains (4)")["kind"] == "drain"


def test_a_page_says_what_failed_and_where() -> None:
    """The failure of the head is at the top, at a record that is shown, with what repeats it."""
    data = data_of(partition())
    failure = data["head"]["failure"]

    assert (failure["check"], failure["words"]) == ("no task runs twice", "t1 is RUNNING, and so is its replacement")
    assert SORTS[data["columns"]["sort"][failure["at"]]] == "tell"
    assert data["head"]["repeat"].startswith("pytest --mesolite-seed 1")
    assert data["head"]["title"] == "no task runs twice"


def test_setting_up_is_folded() -> None:
    """All before the first fault or verb is folded; where there is none of these, nothing is."""
    trace = sigusr1()
    data = data_of(trace)
    quiet, _ = stage()

    assert SORTS[data["columns"]["sort"][data["fold"]]] == "fault"
    assert data_of(quiet.trace)["fold"] == 0


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_data(name: str, tmp_path: Path) -> None:
    """Whatever a task is called, the page has the scripts that it has with any name, and its data can be read."""

    def page_of(task_id: str) -> str:
        sim = Simulation(seed=1)
        cluster = sim.cluster()
        cluster.run(Launcher(command_task("t1")), FrameworkInfo(name=task_id))
        sim.advance(5.0)
        sim.trace.describe(failure=TraceFailure(check=task_id, words=task_id, time=1.0), repeat=task_id)
        return sim.trace.html(tmp_path / "run.html").read_text(encoding="utf-8")

    plain, hostile = page_of("plain"), page_of(name)

    assert hostile.count("<") == plain.count("<")
    assert given_in(hostile)["head"]["failure"]["check"] == name
    assert "\u2028" not in hostile


def test_commands_and_data_are_in_no_export(tmp_path: Path) -> None:
    """Pages get mailed around: what a task runs, its environment and its data stay at home."""
    sim = Simulation(seed=1)
    cluster = sim.cluster()
    task = TaskInfo(
        task_id=TaskId("t1"),
        resources="cpus:0.5;mem:32",
        command=CommandInfo(value="secret command"),
        data="secret data",
    )
    cluster.run(Launcher(task), FrameworkInfo(name="web"))
    sim.advance(5.0)

    page = sim.trace.html(str(tmp_path / "run.html")).read_text(encoding="utf-8")
    assert "secret" not in page + sim.trace.json_lines() + sim.trace.mermaid()


def test_an_empty_trace_has_a_page_too(tmp_path: Path) -> None:
    """Nothing recorded is no reason to fail: a failure report is made of whatever there is."""
    assert given_in(Trace().html(tmp_path / "run.html").read_text(encoding="utf-8"))["columns"]["index"] == []
    assert json.loads(Trace().json_lines())["head"]["fallen"] == 0
    assert Trace().mermaid() == "sequenceDiagram\n"


@pytest.mark.parametrize("export", [Trace.html, Trace.json_lines, Trace.mermaid])
def test_a_file_that_cannot_be_written_is_refused(export: Callable[[Trace, Path], object], tmp_path: Path) -> None:
    """The error says which file it is, and what would work."""
    with pytest.raises(Refused, match=r"no/run cannot be written: .*; name a file in a folder that is there"):
        export(Trace(), tmp_path / "no" / "run")


def test_lines_of_json_have_the_head_and_every_record(tmp_path: Path) -> None:
    """The first line is the head; each other one a record, with its lines in the words of all texts."""
    trace = partition()
    first, *rest = map(json.loads, trace.json_lines(tmp_path / "run.jsonl").splitlines())

    assert first["head"]["failure"]["check"] == "no task runs twice"
    assert [each["index"] for each in rest] == [record.index for record in trace]
    told = [f"{each['time']:9.3f}  {who:<24}  {what}" for each in rest for who, what in each["lines"]]
    assert told == trace.text(system=True, heartbeats=True).splitlines()
    assert {each["why"] for each in rest if each["sort"] == "lost"} == {"cut"}
    assert len((tmp_path / "run.jsonl").read_text(encoding="utf-8").splitlines()) == len(rest) + 1


def test_a_diagram_is_bounded_and_says_what_it_leaves_out(tmp_path: Path) -> None:
    """Of a long run the moments and what led to them are drawn, sixty rows at most, and what is left out is counted."""
    diagram = failover().mermaid(tmp_path / "run.mmd")
    lines = diagram.splitlines()
    drawn = [line for line in lines if re.match(r"  (p\d+\S*: |Note over [^:]+: \d+\.\d{3} )", line)]

    assert lines[0] == "sequenceDiagram"
    assert 20 < len(drawn) <= 60
    assert sum("crash()" in line for line in drawn) == 1
    assert re.search(r"Note over p1,p\d+: .*more", diagram)
    assert (tmp_path / "run.mmd").read_text(encoding="utf-8") == diagram


def test_a_diagram_has_no_line_that_users_made() -> None:
    """Names with marks of the diagram's own are written by number."""
    sim = Simulation(seed=1)
    cluster = sim.cluster()
    cluster.run(Launcher(command_task("a;b")), FrameworkInfo(name="x#1 <b>;\nend"))
    sim.advance(1.0)
    cluster.operator.drain("agent-1")
    sim.advance(5.0)

    diagram = sim.trace.mermaid()
    assert "a#59;b" in diagram
    assert not re.search(r"(?<!#\d\d);|<|^end", diagram)


def test_exports_are_loaded_only_when_asked_for() -> None:
    """Whoever imports mesolite loads nothing of them."""
    code = "import sys, mesolite; print([name for name in sys.modules if 'exports' in name])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
