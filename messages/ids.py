"""Typed names. They compare, sort and print as plain strings; the type checker keeps them apart.

An actor's *name* (`agent-1`, `master-1`, `elector`, a framework's own name) is where messages are sent and never
changes. An *id* (`m1-S1`) is given by a master when it admits somebody, and survives restarts (core.md EL-35).
"""

from __future__ import annotations

from typing import NewType

ActorName = NewType("ActorName", str)
AgentId = NewType("AgentId", str)
FrameworkId = NewType("FrameworkId", str)
OfferId = NewType("OfferId", str)
TaskId = NewType("TaskId", str)
ExecutorId = NewType("ExecutorId", str)
UpdateId = NewType("UpdateId", str)
DrainId = NewType("DrainId", str)
ReclaimId = NewType("ReclaimId", str)
WriteId = NewType("WriteId", str)
