"""Answers that are no streams: empty ones, JSON, text; and refusals, which are raised (docs/spec/http.md section 4)."""

from __future__ import annotations

from typing import Any

from mesolite.gateway.exchange import Headers, Response
from mesolite.gateway.v1.framing import to_json

JSON: Headers = (("Content-Type", "application/json"),)
TEXT: Headers = (("Content-Type", "text/plain; charset=utf-8"),)

OK = Response(status=200)
ACCEPTED = Response(status=202)
"""Well-formed, and handed on; what becomes of it comes as events (HT-75, HT-91)."""

RETRY_AFTER_S = 1


class HttpRefusal(Exception):
    """A request that is not carried out; `text` says what was wrong with it and what would be right (HT-90)."""

    def __init__(self, status: int, text: str, headers: Headers = ()) -> None:
        """Answer with that status, that text, and these headers beside the type's."""
        super().__init__(text)
        self.response = refusal(status, text, headers)


def refusal(status: int, text: str, headers: Headers = ()) -> Response:
    """An answer that says no (HT-27); to 503 belongs when to try again (HT-88)."""
    if status == 503:
        headers = (*headers, ("Retry-After", str(RETRY_AFTER_S)))
    body = text.encode("utf-8", "backslashreplace")
    return Response(status=status, headers=(*(TEXT if body else ()), *headers), body=body)


def json_response(value: Any) -> Response:
    """An answer in JSON (HT-26)."""
    return Response(status=200, headers=JSON, body=to_json(value))
