"""Tokens of executors: for whom they were made, and nobody else (HT-117)."""

from __future__ import annotations

import jwt
import pytest

from mesolite.gateway.exchange import Request
from mesolite.gateway.refusals import HttpRefusal
from mesolite.gateway.tokens import Claims, Tokens

CLAIMS = Claims("m1-F1", "squares", "agent-1-1-1")
SIGNATURE = "nobody else knows this, and it is long enough"
TOKENS = Tokens(SIGNATURE)


def with_header(*values: str) -> Request:
    return Request(method="POST", path="/", headers=tuple(("Authorization", value) for value in values))


def test_a_token_says_whom_it_is_for() -> None:
    """fid, eid and cid, as Mesos names them."""
    token = TOKENS.issue(CLAIMS)

    told = jwt.decode(token, SIGNATURE, algorithms=["HS256"])
    assert told == {"fid": "m1-F1", "eid": "squares", "cid": "agent-1-1-1"}
    assert TOKENS.claims(with_header(f"Bearer {token}")) == CLAIMS


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer nonsense",
        f"Basic {TOKENS.issue(CLAIMS)}",
        f"Bearer {Tokens('somebody else has signed this one, as it seems').issue(CLAIMS)}",
        f"Bearer {jwt.encode({'fid': 'm1-F1'}, SIGNATURE, algorithm='HS256')}",
        f"Bearer {jwt.encode({'fid': 'f', 'eid': 'e', 'cid': 'c'}, None, algorithm='none')}",
    ],
)
def test_what_is_none_of_ours_is_refused(header: str) -> None:
    """Missing, not a token, another scheme, another signature, claims missing, not signed: 401, all alike."""
    with pytest.raises(HttpRefusal) as refused:
        TOKENS.claims(with_header(header) if header else with_header())

    assert refused.value.response.status == 401
    assert ("WWW-Authenticate", 'Bearer realm="mesos-agent-executor"') in refused.value.response.headers
