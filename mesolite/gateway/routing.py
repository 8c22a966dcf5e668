"""From a path to the endpoint that serves it (docs/spec/http.md HT-10 to HT-13)."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from urllib.parse import parse_qsl, unquote

from mesolite.gateway.exchange import Request
from mesolite.gateway.refusals import HttpRefusal


def find(path: str, process: str, endpoints: Container[str]) -> str | None:
    """The endpoint with the longest name that the path begins with, by whole components; None if there is none.

    The name of the process may stand before it (HT-12), slashes at the end do not count (HT-11), and `.json` behind a
    name is as if it were not there (HT-13).
    """
    if path[1:] in endpoints:  # as clients nearly always write it
        return path[1:]
    parts = [part for part in unquote(path).split("/") if part]
    if parts and parts[0] == process:
        parts = parts[1:]
    for end in range(len(parts), -1, -1):
        name = "/".join(parts[:end])
        if name in endpoints:
            return name
        if name.endswith(".json") and name.removesuffix(".json") in endpoints:
            return name.removesuffix(".json")
    return None


def parameters(request: Request) -> Mapping[str, str]:
    """What the query says; of several of one name the last counts. What is no UTF-8 stays, as names of files may be."""
    return dict(parse_qsl(request.query, keep_blank_values=True, errors="surrogateescape"))


def require_method(request: Request, *methods: str) -> None:
    """Go on with these methods only; HEAD is as good as GET (HT-14).

    Raises:
        HttpRefusal: 405, naming them (HT-81).
    """
    method = "GET" if request.method == "HEAD" and "GET" in methods else request.method
    if method not in methods:
        allowed = ", ".join(methods)
        raise HttpRefusal(405, f"{request.method} is not served here; {allowed} is", (("Allow", allowed),))


_DURATION = re.compile(r"[0-9]+(\.[0-9]+)?(ns|us|ms|secs|mins|hrs|days|weeks)")


def require_duration(text: str | None) -> None:
    """Go on if nothing was said, or a duration such as `5secs` (HT-330, HT-242).

    Raises:
        HttpRefusal: 400.
    """
    if text is not None and not _DURATION.fullmatch(text):
        raise HttpRefusal(400, f"timeout is {text!r}; it must be a duration such as 5secs")
