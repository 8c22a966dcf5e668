"""Whether an agent that starts again is still what it was when it registered (core.md AG-7, Mesos's compatibility.cpp).

    EQUAL      nothing may have changed
    ADDITIVE   resources may have grown, and attributes been added; nothing may have gone, shrunk or become another

Of attributes the order means nothing. Ours: an address may not change either, by which masters know machines (1.3.4).
"""

from __future__ import annotations

from mesolite.actors.decisions.settings import ReconfigurationPolicy
from mesolite.messages.infos import AgentInfo


def objections(policy: ReconfigurationPolicy, old: AgentInfo, new: AgentInfo) -> list[str]:
    """What forbids it to go on under its old id, each with how it was and is; nothing if it may."""
    may_grow = policy is ReconfigurationPolicy.ADDITIVE
    changed = [
        ("host name was", old.hostname, "is", new.hostname, False),
        ("address was", old.ip, "is", new.ip, False),
        ("resources were", old.resources, "are", new.resources, may_grow and new.resources.contains(old.resources)),
        ("attributes were", _words(old), "are", _words(new), may_grow and _has_all(new, old)),
    ]
    return [
        f"its {was} {before or 'none'} and {now} {after or 'none'}"
        for was, before, now, after, allowed in changed
        if before != after and not allowed
    ]


def _has_all(new: AgentInfo, old: AgentInfo) -> bool:
    return all(attribute in new.attributes for attribute in old.attributes)


def _words(info: AgentInfo) -> str:
    """In the order of their names: the order in which they were given means nothing."""
    return ";".join(f"{name}:{value}" for name, value in sorted(info.attributes))
