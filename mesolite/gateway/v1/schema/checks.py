"""How tasks are looked after: health checks, checks and kill policies."""

from __future__ import annotations

from mesolite.gateway.v1.schema.commands import COMMAND_INFO
from mesolite.gateway.v1.schema.containers import NETWORK_PROTOCOL
from mesolite.gateway.v1.schema.identifiers import DURATION_INFO
from mesolite.gateway.v1.schema.kinds import (
    BOOL,
    DOUBLE,
    INT32,
    STRING,
    UINT32,
    enum,
    message,
    optional,
    repeated,
    required,
)

HEALTH_CHECK = message(
    "HealthCheck",
    delay_seconds=optional(DOUBLE),
    interval_seconds=optional(DOUBLE),
    timeout_seconds=optional(DOUBLE),
    consecutive_failures=optional(UINT32),
    grace_period_seconds=optional(DOUBLE),
    type=optional(enum("Type", "UNKNOWN COMMAND HTTP TCP")),
    command=optional(COMMAND_INFO),
    http=optional(
        message(
            "HTTPCheckInfo",
            protocol=optional(NETWORK_PROTOCOL),
            scheme=optional(STRING),
            port=required(UINT32),
            path=optional(STRING),
            statuses=repeated(UINT32),
        )
    ),
    tcp=optional(message("TCPCheckInfo", protocol=optional(NETWORK_PROTOCOL), port=required(UINT32))),
)

CHECK_INFO_TYPE = enum("Type", "UNKNOWN COMMAND HTTP TCP")

CHECK_INFO = message(
    "CheckInfo",
    type=optional(CHECK_INFO_TYPE),
    command=optional(message("Command", command=required(COMMAND_INFO))),
    http=optional(message("Http", port=required(UINT32), path=optional(STRING))),
    tcp=optional(message("Tcp", port=required(UINT32))),
    delay_seconds=optional(DOUBLE),
    interval_seconds=optional(DOUBLE),
    timeout_seconds=optional(DOUBLE),
)

KILL_POLICY = message("KillPolicy", grace_period=optional(DURATION_INFO))

CHECK_STATUS_INFO = message(
    "CheckStatusInfo",
    type=optional(CHECK_INFO_TYPE),
    command=optional(message("Command", exit_code=optional(INT32))),
    http=optional(message("Http", status_code=optional(UINT32))),
    tcp=optional(message("Tcp", succeeded=optional(BOOL))),
)
