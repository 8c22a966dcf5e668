"""A few of the drains in a row that `make drains` does a thousand of (tests/cluster/drains.py)."""

from __future__ import annotations

import pytest

from tests.cluster import drains

pytestmark = pytest.mark.slow


def test_nothing_survives_a_drain_and_nothing_is_lost() -> None:
    """Commands that obey, do not, fork and daemonise: all dead when DRAINED is announced, all reported once."""
    rounds = drains.many(4)

    assert [each.complaints for each in rounds] == [[]] * 4


def test_a_survivor_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check can fail: looked at while its tasks run, an agent has processes and nobody was told of any end."""
    monkeypatch.setattr("mesolite.drain.Drain.wait", lambda drain, timeout: drain.state)

    (only,) = drains.many(1)

    assert "it ended DRAINING" in only.complaints
    assert "somebody holds the lifeline" in only.complaints
    assert any("was reported as []" in complaint for complaint in only.complaints)
