"""The flags of a daemon (http.md HT-256, HT-338; core.md section 10)."""

from __future__ import annotations

import pytest

from mesolite import Settings
from mesolite.gateway.reading.addresses import Address
from mesolite.gateway.reading.flags import duration, flags_of

AT = Address("node-1", "10.0.0.1", 5050)


def test_settings_are_told_as_the_flags_that_mesos_has_for_them() -> None:
    """HT-256, K-9, K-10, K-18: tools and people look for these names, and read these words."""
    flags = flags_of(Settings.mesos(), AT)

    expected = {
        "agent_ping_timeout": "15secs",
        "max_agent_ping_timeouts": "5",
        "agent_reregister_timeout": "10mins",
        "registry_fetch_timeout": "1mins",
        "registry_max_agent_age": "2weeks",
        "registry_store_timeout": "20secs",
        "recovery_timeout": "15mins",
        "executor_shutdown_grace_period": "5secs",
        "max_completed_frameworks": "50",
        "reconfiguration_policy": "equal",
        "ip": "10.0.0.1",
        "hostname": "node-1",
        "port": "5050",
    }
    assert {name: flags.get(name) for name in expected} == expected


def test_what_is_not_set_is_no_flag() -> None:
    """HT-43."""
    assert "offer_timeout" not in flags_of(Settings.mesos(), AT)
    assert flags_of(Settings.mesos().but(offer_timeout_s=90), AT)["offer_timeout"] == "1.5mins"


@pytest.mark.parametrize(("seconds", "text"), [(0, "0secs"), (0.25, "250ms"), (1.5, "1.5secs"), (86_400, "1days")])
def test_durations_are_in_the_largest_unit_that_fits(seconds: float, text: str) -> None:
    """As Mesos writes them, and reads them (HT-242)."""
    assert duration(seconds) == text
