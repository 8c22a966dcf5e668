"""What is run: commands with their environment and URIs."""

from __future__ import annotations

from mesolite.gateway.v1.schema.kinds import BOOL, STRING, enum, message, optional, repeated, required
from mesolite.gateway.v1.schema.volumes import SECRET

ENVIRONMENT = message(
    "Environment",
    variables=repeated(
        message(
            "Variable",
            name=required(STRING),
            type=optional(enum("Type", "UNKNOWN VALUE SECRET")),
            value=optional(STRING),
            secret=optional(SECRET),
        )
    ),
)

COMMAND_INFO = message(
    "CommandInfo",
    uris=repeated(
        message(
            "URI",
            value=required(STRING),
            executable=optional(BOOL),
            extract=optional(BOOL),
            cache=optional(BOOL),
            output_file=optional(STRING),
        )
    ),
    environment=optional(ENVIRONMENT),
    shell=optional(BOOL),
    value=optional(STRING),
    arguments=repeated(STRING),
    user=optional(STRING),
)
