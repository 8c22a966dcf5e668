"""Who leads, and what the others answer (docs/spec/http.md section 5)."""

from __future__ import annotations

import pytest

from mesolite.http import Http
from tests.gateway.calling import OPERATOR, SCHEDULER, World, basic

LEADERS_ONLY = [
    "/api/v1",
    "/api/v1/scheduler",
    "/frameworks",
    "/roles",
    "/slaves",
    "/state",
    "/state-summary",
    "/tasks",
    "/teardown",
    "/maintenance/schedule",
    "/maintenance/status",
    "/machine/down",
    "/machine/up",
]
ANYBODYS = ["/health", "/version", "/metrics/snapshot", "/flags"]


@pytest.fixture(scope="module")
def pair() -> World:
    return World(masters=2)


@pytest.fixture
def leaderless() -> World:
    """A master that nobody has elected, as it cannot reach who would."""
    world = World()
    master = world.cluster.masters["master-1"]
    master.crash()
    world.sim.partition("master-1", "elector")
    master.restart()
    world.sim.advance(30.0)
    return world


def address(world: World) -> str:
    return world.leader.url.removeprefix("http://")


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize("path", LEADERS_ONLY)
def test_who_does_not_lead_says_who_does(pair: World, path: str, method: str) -> None:
    """HT-95, HT-76: for any method 307, with nothing but the place; it answers nothing itself."""
    answer = pair.send(method, path, to=pair.standby)

    assert (answer.status, answer.body) == (307, b"")
    assert answer.headers == {"location": f"//{address(pair)}{path}"}


@pytest.mark.parametrize("path", ["/api/v1/scheduler", "/master/state?_ts=1&x=%20", "/tasks/?order=asc", "/state%2f"])
def test_the_place_has_the_path_and_the_query_as_they_came(pair: World, path: str) -> None:
    """HT-97: behind the host and the port of the leader, without a scheme."""
    assert pair.get(path, to=pair.standby).headers["location"] == f"//{address(pair)}{path}"


@pytest.mark.parametrize("path", ANYBODYS)
def test_who_does_not_lead_answers_for_itself(pair: World, path: str) -> None:
    """HT-96."""
    assert pair.get(path, to=pair.standby).status == 200


def test_files_are_everybodys_own(pair: World) -> None:
    """HT-96: a master has none, so they are not found, but not elsewhere either."""
    assert pair.get("/files/browse?path=/x", to=pair.standby).status == 404


@pytest.mark.parametrize("path", ["/redirect", "/master/redirect", "/redirect/"])
def test_redirect_leads_to_the_leader(pair: World, path: str) -> None:
    """HT-98: without a path, on the leader as well; HT-329: for any method, so HEAD, too."""
    for to in (pair.standby, pair.leader):
        for method in ("GET", "HEAD", "POST"):
            answer = pair.send(method, path, to=to)
            assert (answer.status, answer.headers["location"]) == (307, f"//{address(pair)}")
        assert pair.get("/redirect/x", to=to).status == 404


@pytest.mark.parametrize("path", [*LEADERS_ONLY, "/redirect"])
def test_without_a_leader_nobody_is_led_anywhere(leaderless: World, path: str) -> None:
    """HT-99, HT-88: 503, and when to try again."""
    answer = leaderless.get(path, to=leaderless.cluster.masters["master-1"])

    assert answer.status == 503
    assert int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize("path", ANYBODYS)
def test_without_a_leader_masters_answer_for_themselves(leaderless: World, path: str) -> None:
    """HT-96."""
    assert leaderless.get(path, to=leaderless.cluster.masters["master-1"]).status == 200


def test_a_leader_serves_when_it_has_read_its_registry() -> None:
    """HT-100: until then 503, also for what is only read; HT-103: and never a redirect to itself."""
    world = World()
    master = world.cluster.masters["master-1"]
    master.crash()
    master.restart()
    world.sim.pause("master-1/registrar")
    world.sim.advance(15.0)
    assert world.cluster.leader is None

    for path in LEADERS_ONLY:
        answer = world.get(path, to=master)
        assert (path, answer.status, "retry-after" in answer.headers) == (path, 503, True)
    assert world.get("/redirect", to=master).status == 307  # it has been elected, and says so
    world.sim.resume("master-1/registrar")
    world.sim.advance(1.0)
    assert world.get("/state", to=master).status == 200


def test_who_leads_no_more_ends_its_streams() -> None:
    """HT-101, HT-59: they get their last chunk, are not broken off; who comes later is not served as by a leader."""
    world = World(masters=2)
    former = world.leader
    scheduler = world.subscribe(failover_timeout=600)
    operator = world.operate("SUBSCRIBE")
    assert (scheduler.stream.ended, operator.ended) == (False, False)

    world.sim.expire_session(former.name)
    world.sim.advance(1.0)

    for stream in (scheduler.stream, operator):
        assert (stream.ended, stream.broken) == (True, False)
    assert world.get("/state", to=former).status in (307, 503, None)
    assert world.leader is not former


def test_a_standby_asks_who_comes_before_it_says_where_to_go() -> None:
    """HT-102."""
    world = World(masters=2, http=Http(credentials={"ann": "secret"}))

    for path in (OPERATOR, SCHEDULER, "/state"):
        assert world.get(path, to=world.standby).status == 401
        assert world.get(path, to=world.standby, headers=basic("ann", "secret")).status == 307
    assert world.get("/redirect", to=world.standby).status == 307


def test_the_redirect_can_be_followed() -> None:
    """HT-97: from it a client finds host and port, and is served there (HT-382)."""
    world = World(masters=3)
    location = world.get("/state", to=world.standby).headers["location"]
    host = location.removeprefix("//").partition("/")[0]
    answer = world.cluster.client.get(f"http://{host}", "/state")
    world.sim.settle()

    assert answer.status == 200
