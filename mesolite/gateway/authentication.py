"""Who calls: HTTP's Basic authentication, and what is open to everybody (docs/spec/http.md section 6)."""

from __future__ import annotations

import hmac
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping

from attrs import field, frozen

from mesolite.gateway.exchange import Request
from mesolite.gateway.refusals import HttpRefusal

AUTHORIZATION_MAX = 8 * 1024
"""Characters of the longest Authorization header (HT-120)."""


@frozen
class Authentication:
    """Whom to believe: secrets by principal; None asks nobody (HT-104)."""

    secrets: Mapping[str, str] | None = field(default=None, repr=False)

    def principal(self, request: Request, realm: str) -> str:
        """Who makes this request; '' where nobody has to say so.

        Raises:
            HttpRefusal: 401, whatever is wrong with what he says (HT-112); 400 if it is no header at all (HT-120).
        """
        stated = request.headers_named("Authorization")
        if len(stated) > 1 or any(len(header) > AUTHORIZATION_MAX for header in stated):
            raise HttpRefusal(400, "give one Authorization header, of at most 8 KiB")
        if self.secrets is None:
            return ""
        principal, secret = _credentials(stated[0]) if stated else ("", "")
        known = self.secrets.get(principal)
        # Compared in any case, so that the time taken does not say whether there is such a principal (HT-113).
        right = hmac.compare_digest((known or "").encode(), secret.encode())
        if known is None or not right:
            challenge = (("WWW-Authenticate", f'Basic realm="{realm}"'),)
            raise HttpRefusal(401, "credentials are needed here: give a principal and its secret, as Basic", challenge)
        return principal


def _credentials(header: str) -> tuple[str, str]:
    """The principal and the secret of a Basic header; empty ones if it is something else."""
    scheme, _, encoded = header.strip().partition(" ")
    try:
        principal, colon, secret = b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (NotBase64, ValueError):
        return "", ""
    return (principal, secret) if scheme.lower() == "basic" and colon else ("", "")
