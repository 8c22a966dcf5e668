"""What a request's body is, and what its sender can read: Content-Type and Accept (docs/spec/http.md section 2.1)."""

from __future__ import annotations

from mesolite.gateway.exchange import Request
from mesolite.gateway.refusals import HttpRefusal

NO_PROTOBUF = "application/x-protobuf is not spoken here; use application/json"


def require_json(request: Request) -> None:
    """Let only JSON in (HT-19 to HT-23).

    Raises:
        HttpRefusal: 400 without a Content-Type, 415 with another.
    """
    stated = request.header("Content-Type")
    if stated is None or not stated.strip():
        raise HttpRefusal(400, "the request has no Content-Type; send application/json")
    kind = stated.partition(";")[0].strip().lower()
    if kind != "application/json":
        why = NO_PROTOBUF if kind == "application/x-protobuf" else "only application/json is understood here"
        raise HttpRefusal(415, f"the Content-Type is {stated!r}: {why}")


def require_readable(request: Request) -> None:
    """Go on only if the client can read JSON (HT-24, HT-25).

    Raises:
        HttpRefusal: 406, if its Accept does not allow it.
    """
    stated = request.headers_named("Accept")
    if not accepts(stated, "application/json"):
        why = NO_PROTOBUF if accepts(stated, "application/x-protobuf") else "only application/json is sent here"
        raise HttpRefusal(406, f"Accept is {', '.join(stated)!r}: {why}")


def accepts(stated: list[str], kind: str) -> bool:
    """Whether these Accept headers allow that media type; none allow everything (HT-25)."""
    if not stated:
        return True
    main = kind.partition("/")[0]
    allowed = {entry for entry in (_allowed(entry) for line in stated for entry in line.split(",")) if entry}
    return not {kind, f"{main}/*", "*/*"}.isdisjoint(allowed)


def _allowed(entry: str) -> str:
    """The media type of one entry; '' if its quality is 0."""
    kind, *parameters = (part.strip().lower() for part in entry.split(";"))
    for parameter in parameters:
        name, _, quality = parameter.partition("=")
        if name.strip() == "q" and _is_zero(quality.strip()):
            return ""
    return kind


def _is_zero(quality: str) -> bool:
    try:
        return float(quality) == 0
    except ValueError:
        return False
