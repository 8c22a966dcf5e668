"""Elections: an elector and its clients on a virtual clock, and what each of the clients sees."""

from __future__ import annotations

import pytest

from mesolite.actors.decisions.contract import Send
from mesolite.actors.decisions.elector import ElectorCore
from mesolite.messages.election import (
    ELECTOR,
    DetectLeader,
    ElectionLeft,
    ExpireSession,
    JoinElection,
    LeaderDetected,
    LeaveElection,
)
from mesolite.messages.infos import MasterInfo
from tests.actors.election_harness import DETECT_RETRY_S, Electorate


@pytest.mark.scenario("GroupTest.Group")
def test_a_place_is_seen_by_a_watch_and_gone_after_it_was_cancelled() -> None:
    """Who joined is seen with its data; after cancelling nobody is, and cancelling again finds nothing."""
    them = Electorate()
    master = them.master("master-1")
    agent = them.agent("agent-1")
    assert them.take() == ["0 master-1: master-1 leads in 1", "0 agent-1: master-1 leads in 1"]

    them.do("master-1", master.withdraw(them.now))
    assert them.take() == [
        "0 master-1: candidacy lost",
        "0 master-1: nobody leads",
        "0 agent-1: nobody leads",
    ]

    # Asked for what it knew, the elector says that there is nobody; and there is nothing left to cancel.
    them.tell_elector("agent-1", DetectLeader(known_term=1))
    them.tell_elector("master-1", LeaveElection(sequence=1))
    assert [send.message for _, send in them.said if send.to != ELECTOR] == [
        LeaderDetected(leader=None),
        ElectionLeft(sequence=1, held=False),
    ]
    assert agent.leader is None


@pytest.mark.scenario("GroupTest.GroupWatchWithSessionExpiration")
def test_when_its_session_expires_a_candidate_sees_nobody_and_has_lost_its_place() -> None:
    """Lost, not cancelled: nobody asked for it, and the watch shows an empty group."""
    them = Electorate()
    them.master("master-1")
    them.take()

    them.tell_elector("operator", ExpireSession(actor="master-1"))

    assert them.take() == ["0 master-1: candidacy lost", "0 master-1: nobody leads"]
    assert them.sent(LeaveElection) == 0
    # It has a new session, without a place in the election.
    assert (them.watches["master-1"].session, them.watches["master-1"].candidacy) == (2, None)
    assert them.elector.leader is None


@pytest.mark.scenario("GroupTest.MultipleGroups")
def test_one_members_expiry_is_seen_by_the_other_and_cannot_be_cancelled_any_more() -> None:
    """Seen from the second, the first membership is gone without having been cancelled."""
    them = Electorate()
    them.master("master-1")
    them.master("master-2")
    assert them.take() == ["0 master-1: master-1 leads in 1", "0 master-2: master-1 leads in 1"]

    them.tell_elector("operator", ExpireSession(actor="master-1"))

    assert them.take() == [
        "0 master-1: candidacy lost",
        "0 master-1: nobody leads",
        "0 master-1: master-2 leads in 2",
        "0 master-2: master-2 leads in 2",
    ]
    them.tell_elector("master-2", LeaveElection(sequence=1))
    assert them.said[-1] == (ELECTOR, Send("master-2", ElectionLeft(sequence=1, held=False)))
    assert them.elector.leader == MasterInfo(name="master-2", term=2)


@pytest.mark.scenario("BasicMasterContenderDetectorTest.Contender")
def test_a_lone_contender_is_a_candidate_at_once_and_until_it_withdraws() -> None:
    """No time passes before its place is known, and none that passes takes it away."""
    them = Electorate()
    master = them.master("master-1")
    assert (master.candidacy, master.leading) == (1, True)
    assert them.take() == ["0 master-1: master-1 leads in 1"]

    them.advance(3600.0)
    assert them.take() == []

    them.do("master-1", master.withdraw(them.now))
    assert them.take() == ["3600 master-1: candidacy lost", "3600 master-1: nobody leads"]


@pytest.mark.scenario("ZooKeeperMasterContenderDetectorTest.ContenderDetectorShutdownNetwork")
def test_a_leader_cut_off_from_the_elector_gives_up_in_time_and_can_only_wait() -> None:
    """Its time-out ends candidacy and detection; what is begun again is done when the network is back."""
    them = Electorate()
    master = them.master("master-1")
    them.advance(5.0)
    them.take()

    # The last heartbeat that was answered left at 3.33 s.
    them.cut = ["master-1"]
    them.advance(8.3)
    assert them.take() == []
    assert master.leading
    them.advance(0.1)
    assert them.take() == ["13.3333 master-1: candidacy lost", "13.3333 master-1: nobody leads"]

    them.do("master-1", master.contend(them.now))
    them.advance(60.0)
    assert them.take() == []
    assert (master.session, master.candidacy, master.leader) == (None, None, None)

    them.cut = []
    them.advance(DETECT_RETRY_S)
    assert master.leading
    assert them.take()[-1].endswith("master-1: master-1 leads in 2")


@pytest.mark.scenario("ZooKeeperMasterContenderDetectorTest.ContenderPendingElection")
def test_contending_while_the_election_is_pending_joins_no_second_time() -> None:
    """The join is lost; that it is wanted is known already."""
    them = Electorate()
    them.lost = [JoinElection]
    master = them.master("master-1")
    assert them.sent(JoinElection) == 1

    them.do("master-1", master.contend(them.now))

    assert them.sent(JoinElection) == 1
    assert master.candidacy is None
    # When joins arrive again, the next heartbeat's is the one and only.
    them.lost = []
    them.advance(4.0)
    assert list(them.elector.candidates) == [1]


@pytest.mark.scenario("ZooKeeperMasterContenderDetectorTest.MasterContenders")
def test_when_the_leader_withdraws_the_next_one_leads_with_nobody_in_between() -> None:
    """The second contender hears of itself directly, never that nobody leads."""
    them = Electorate()
    first = them.master("master-1")
    second = them.master("master-2")
    assert them.take() == ["0 master-1: master-1 leads in 1", "0 master-2: master-1 leads in 1"]

    them.do("master-1", first.withdraw(them.now))

    assert them.take() == [
        "0 master-1: candidacy lost",
        "0 master-1: master-2 leads in 2",
        "0 master-2: master-2 leads in 2",
    ]
    assert second.leading


@pytest.mark.scenario("ZooKeeperMasterContenderDetectorTest.MasterDetectorExpireSlaveZKSession")
def test_an_agent_whose_watch_expires_sees_nobody_and_then_the_same_leader() -> None:
    """Only the agent has lost its connection; the leader has not changed."""
    them = Electorate()
    them.master("master-1")
    them.agent("agent-1")
    them.take()

    them.tell_elector("operator", ExpireSession(actor="agent-1"))
    them.advance(DETECT_RETRY_S)

    assert them.take() == ["0 agent-1: nobody leads", "5 agent-1: master-1 leads in 1"]


@pytest.mark.scenario("ZooKeeperMasterContenderDetectorTest.MasterDetectorExpireSlaveZKSessionNewMaster")
def test_an_agent_that_expires_together_with_the_leader_sees_nobody_and_then_the_follower() -> None:
    """What happened to the leader meanwhile, the agent learns when it is back."""
    them = Electorate()
    them.master("master-1")
    them.master("master-2")
    them.agent("agent-1")
    them.take()

    them.tell_elector("operator", ExpireSession(actor="agent-1"))
    them.tell_elector("operator", ExpireSession(actor="master-1"))
    them.advance(DETECT_RETRY_S)

    assert [line for line in them.take() if "agent-1:" in line] == [
        "0 agent-1: nobody leads",
        "5 agent-1: master-2 leads in 2",
    ]


@pytest.mark.scenario("ZooKeeperTest.LeaderDetector")
def test_the_oldest_member_leads_and_what_happens_behind_it_is_no_news() -> None:
    """Follower churn changes nothing; when the leader leaves the other leads; when that leaves, nobody."""
    them = Electorate()
    leader = them.master("master-1")
    follower = them.master("master-2")
    them.agent("agent-1")
    assert them.take()[-1] == "0 agent-1: master-1 leads in 1"

    # The follower leaves and joins again.
    them.do("master-2", follower.withdraw(them.now))
    them.do("master-2", follower.contend(them.now))
    assert them.take() == ["0 master-2: candidacy lost"]
    assert list(them.elector.candidates) == [1, 3]

    them.do("master-1", leader.withdraw(them.now))
    assert them.take()[-1] == "0 agent-1: master-2 leads in 3"
    them.do("master-2", follower.withdraw(them.now))
    assert them.take()[-1] == "0 agent-1: nobody leads"


@pytest.mark.scenario("ZooKeeperTest.LeaderDetectorTimeoutHandling")
def test_a_detector_cut_off_for_the_session_timeout_sees_that_nobody_leads() -> None:
    """A scheduler holds a session just to know when it cannot know; the leader goes on undisturbed."""
    them = Electorate()
    master = them.master("master-1")
    scheduler = them.scheduler("scheduler")
    them.take()

    them.cut = ["scheduler"]
    them.advance(9.9)
    assert them.take() == []
    them.advance(0.1)

    assert them.take() == ["10 scheduler: nobody leads"]
    assert scheduler.leader is None
    assert master.leading


def test_a_client_never_believes_in_its_session_longer_than_the_elector_does() -> None:
    """Else two could lead: the next is told only after the one that was cut off has given up (EL-8)."""
    them = Electorate()
    them.master("master-1")
    them.master("master-2")
    them.advance(5.0)
    them.take()

    them.cut = ["master-1"]
    them.advance(20.0)

    assert them.take() == [
        "13.3333 master-1: candidacy lost",
        "13.3333 master-1: nobody leads",
        "13.3333 master-2: master-2 leads in 2",
    ]


def test_a_master_that_crashed_and_came_back_waits_for_its_own_old_session() -> None:
    """Its old place leads until then, in its name, and it must not take that for itself (EL-11)."""
    them = Electorate()
    them.master("master-1")
    them.advance(4.0)
    them.crash("master-1")
    them.advance(1.0)
    them.take()

    again = them.master("master-1")
    assert them.take() == ["5 master-1: master-1 leads in 1"]
    assert (again.candidacy, again.leading) == (2, False)

    # The last heartbeat of the old life came at 3.33 s.
    them.advance(10.0)
    assert them.take() == ["13.3333 master-1: master-1 leads in 2"]
    assert again.leading


def test_a_lost_notification_is_made_up_for_at_the_next_heartbeat() -> None:
    """The elector believes that the scheduler knows; the scheduler asks with what it knows, and is told."""
    them = Electorate()
    first = them.master("master-1")
    them.master("master-2")
    them.scheduler("scheduler")
    them.take()

    them.lost = [LeaderDetected]
    them.do("master-1", first.withdraw(them.now))
    them.lost = []
    them.advance(4.0)

    assert "3.33333 scheduler: master-2 leads in 2" in them.take()


def test_an_elector_that_forgot_everything_is_told_everything_again() -> None:
    """Sessions of the elector before are unknown to the next: each client loses its own and opens another."""
    them = Electorate()
    them.master("master-1")
    them.agent("agent-1")
    them.take()

    them.elector = ElectorCore(them.elector.settings, first_sequence=100)
    them.timers = {(owner, key): due for (owner, key), due in them.timers.items() if owner != ELECTOR}
    them.advance(4.0)
    assert them.take() == ["3.33333 master-1: candidacy lost", "3.33333 master-1: nobody leads"]

    them.do("master-1", them.watches["master-1"].contend(them.now))
    assert them.take() == ["4 master-1: master-1 leads in 100"]
