"""Answers from files: the one place of the gateway that reads any (docs/spec/http.md section 12.2)."""

from __future__ import annotations

from typing import Any

from mesolite.gateway.effects import ReadFiles
from mesolite.gateway.endpoint import enveloped, plain_json
from mesolite.gateway.exchange import Response
from mesolite.gateway.files import FileRefusal, Files
from mesolite.gateway.refusals import HttpRefusal, refusal

V1 = {"list_files": "LIST_FILES", "read_file": "READ_FILE"}


def answer_from_files(asked: ReadFiles) -> Response:
    """What that request is answered with, be it a refusal."""
    files = Files(lambda: dict(asked.roots))
    try:
        found: Any = getattr(files, asked.what)(*asked.arguments)
        if asked.what == "download":
            headers = (("Content-Type", found.content_type), ("Content-Disposition", found.disposition))
            return Response(status=200, headers=headers, body=found.body)
        if asked.what in V1:
            return enveloped(V1[asked.what], found)
        return plain_json(asked.request, found)
    except FileRefusal as why:
        return refusal(why.status, why.text)
    except HttpRefusal as why:
        return why.response
