"""What an executor calls (docs/spec/http.md section 8)."""

from __future__ import annotations

from mesolite.gateway.v1.schema.identifiers import EXECUTOR_ID, FRAMEWORK_ID
from mesolite.gateway.v1.schema.kinds import BYTES, enum, message, optional, repeated, required
from mesolite.gateway.v1.schema.tasks import TASK_INFO, TASK_STATUS

CALL_UPDATE = message("Call.Update", status=required(TASK_STATUS))

EXECUTOR_CALL = message(
    "Call",
    executor_id=required(EXECUTOR_ID),
    framework_id=required(FRAMEWORK_ID),
    type=optional(enum("Type", "UNKNOWN SUBSCRIBE UPDATE MESSAGE HEARTBEAT")),
    subscribe=optional(
        message("Subscribe", unacknowledged_tasks=repeated(TASK_INFO), unacknowledged_updates=repeated(CALL_UPDATE))
    ),
    update=optional(CALL_UPDATE),
    message=optional(message("Message", data=required(BYTES))),
)
