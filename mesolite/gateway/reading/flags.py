"""The settings of a cluster as the flags of Mesos's daemons: by their names, and in their words (HT-256, HT-338)."""

from __future__ import annotations

import enum
from collections.abc import Mapping

import attrs

from mesolite.actors.decisions.settings import Settings
from mesolite.gateway.reading.addresses import Address

OTHERWISE_IN_MESOS = {
    "completed_frameworks_max": "max_completed_frameworks",
    "completed_tasks_max": "max_completed_tasks_per_framework",
    "executor_recovery_timeout": "recovery_timeout",
    "executor_shutdown_grace": "executor_shutdown_grace_period",
}
"""Flags that have another name there than the setting has here, less its unit."""

UNITS_S = {"weeks": 604_800.0, "days": 86_400.0, "hrs": 3_600.0, "mins": 60.0, "secs": 1.0, "ms": 1e-3, "us": 1e-6}


def flags_of(settings: Settings, address: Address) -> Mapping[str, str]:
    """What a daemon that listens there was started with; what is not set is left out."""
    flags = {"ip": address.ip, "hostname": address.hostname, "port": str(address.port)}
    for setting in attrs.fields(Settings):
        value = getattr(settings, setting.name)
        if value is None:
            continue
        name = setting.name.removesuffix("_s")
        flags[OTHERWISE_IN_MESOS.get(name, name)] = _text(value) if name == setting.name else duration(value)
    return dict(sorted(flags.items()))


def _text(value: object) -> str:
    return value.name.lower() if isinstance(value, enum.Enum) else str(value)


def duration(seconds: float) -> str:
    """As Mesos writes it, in the largest unit that it is at least one of: `10mins`, `1.25mins`, `15secs`."""
    unit = next((unit for unit, length_s in UNITS_S.items() if seconds >= length_s), "secs")
    return f"{seconds / UNITS_S[unit]:g}{unit}"
