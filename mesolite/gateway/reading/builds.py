"""What a server says of its version and its build (docs/spec/http.md HT-255, HT-327), and what agents can do."""

from __future__ import annotations

from mesolite.gateway.v1.writing import VERSION, Plain

AGENT_CAPABILITIES = ("MULTI_ROLE", "AGENT_DRAINING")
"""Of those in V1, the ones that agents have here (HT-50)."""

MASTER_CAPABILITIES = ("AGENT_UPDATE", "AGENT_DRAINING")


def version_info() -> Plain:
    """The version, and a build that never was: nothing here is compiled, and the same is said on every machine."""
    return {"version": VERSION, "build_date": "1970-01-01 00:00:00", "build_time": 0.0, "build_user": "mesolite"}
