"""Tokens by which an agent knows its executors again: signed, with what they are for (docs/spec/http.md HT-117)."""

from __future__ import annotations

import jwt
from attrs import field, frozen

from mesolite.gateway.exchange import Request
from mesolite.gateway.refusals import HttpRefusal

VARIABLE = "MESOS_EXECUTOR_AUTHENTICATION_TOKEN"
"""Where an executor process finds its token (HT-235)."""

ALGORITHM = "HS256"


@frozen
class Claims:
    """Whom a token is for: a framework's executor, in one run of it."""

    framework_id: str
    executor_id: str
    container_id: str


@frozen
class Tokens:
    """Makes tokens, and reads those that it has made."""

    _secret: str = field(repr=False)

    def issue(self, claims: Claims) -> str:
        """A token for that executor."""
        told = {"fid": claims.framework_id, "eid": claims.executor_id, "cid": claims.container_id}
        return jwt.encode(told, self._secret, algorithm=ALGORITHM)

    def claims(self, request: Request) -> Claims:
        """Whom the token of a request is for.

        Raises:
            HttpRefusal: 401, there is none, or none of ours.
        """
        scheme, _, token = (request.header("Authorization") or "").strip().partition(" ")
        try:
            told = jwt.decode(token.strip(), self._secret, algorithms=[ALGORITHM]) if scheme.lower() == "bearer" else {}
            return Claims(str(told["fid"]), str(told["eid"]), str(told["cid"]))
        except (jwt.InvalidTokenError, KeyError):
            challenge = (("WWW-Authenticate", 'Bearer realm="mesos-agent-executor"'),)
            raise HttpRefusal(401, f"send the token of {VARIABLE}, as Bearer", challenge) from None
