"""What our nouns have no field for, labels, say, travels in their `data`: from the scheduler to the executor, and back.

Nobody on the way looks into it. It is text, where the data of these classes are bytes: the two are never confused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mesolite.actors.errors import InvalidValue
from mesolite.messages.data import Data

SEAL = "mesolite.compat.pymesos:"


def sealed(plain: Mapping[str, Any], where: str) -> str:
    """All of it as text.

    Raises:
        InvalidValue: it holds something that is no JSON.
    """
    try:
        return SEAL + json.dumps(plain)
    except (TypeError, ValueError) as why:
        raise InvalidValue(f"{where} cannot be written as JSON: {why}; use numbers, text, lists and dicts") from None


def unsealed(data: Data) -> dict[str, Any] | None:
    """What was sealed; None if nothing was."""
    if isinstance(data, str) and data.startswith(SEAL):
        opened: dict[str, Any] = json.loads(data.removeprefix(SEAL))
        return opened
    return None
