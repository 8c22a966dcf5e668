"""Tasks, the executors that run them, and their statuses."""

from __future__ import annotations

from mesolite.gateway.v1.schema.checks import CHECK_INFO, CHECK_STATUS_INFO, HEALTH_CHECK, KILL_POLICY
from mesolite.gateway.v1.schema.commands import COMMAND_INFO
from mesolite.gateway.v1.schema.containers import CONTAINER_INFO, CONTAINER_STATUS
from mesolite.gateway.v1.schema.identifiers import (
    AGENT_ID,
    DURATION_INFO,
    EXECUTOR_ID,
    FRAMEWORK_ID,
    LABELS,
    TASK_ID,
    TIME_INFO,
)
from mesolite.gateway.v1.schema.kinds import (
    BOOL,
    BYTES,
    DOUBLE,
    STRING,
    UINT32,
    enum,
    mapped,
    message,
    optional,
    repeated,
    required,
)
from mesolite.gateway.v1.schema.resources import RESOURCE, SCALAR

VISIBILITY = enum("Visibility", "FRAMEWORK CLUSTER EXTERNAL")

PORT = message(
    "Port",
    number=required(UINT32),
    name=optional(STRING),
    protocol=optional(STRING),
    visibility=optional(VISIBILITY),
    labels=optional(LABELS),
)

PORTS = message("Ports", ports=repeated(PORT))

DISCOVERY_INFO = message(
    "DiscoveryInfo",
    visibility=required(VISIBILITY),
    name=optional(STRING),
    environment=optional(STRING),
    location=optional(STRING),
    version=optional(STRING),
    ports=optional(PORTS),
    labels=optional(LABELS),
)

EXECUTOR_INFO = message(
    "ExecutorInfo",
    type=optional(enum("Type", "UNKNOWN DEFAULT CUSTOM")),
    executor_id=required(EXECUTOR_ID),
    framework_id=optional(FRAMEWORK_ID),
    command=optional(COMMAND_INFO),
    container=optional(CONTAINER_INFO),
    resources=repeated(RESOURCE),
    name=optional(STRING),
    source=optional(STRING),
    data=optional(BYTES),
    discovery=optional(DISCOVERY_INFO),
    shutdown_grace_period=optional(DURATION_INFO),
    labels=optional(LABELS),
)

TASK_INFO = message(
    "TaskInfo",
    name=required(STRING),
    task_id=required(TASK_ID),
    agent_id=required(AGENT_ID),
    resources=repeated(RESOURCE),
    executor=optional(EXECUTOR_INFO),
    command=optional(COMMAND_INFO),
    container=optional(CONTAINER_INFO),
    health_check=optional(HEALTH_CHECK),
    check=optional(CHECK_INFO),
    kill_policy=optional(KILL_POLICY),
    data=optional(BYTES),
    labels=optional(LABELS),
    discovery=optional(DISCOVERY_INFO),
    max_completion_time=optional(DURATION_INFO),
    limits=mapped(SCALAR),
)

TASK_GROUP_INFO = message("TaskGroupInfo", tasks=repeated(TASK_INFO))

TASK_STATE = enum(
    "TaskState",
    """
    TASK_STAGING TASK_STARTING TASK_RUNNING TASK_KILLING TASK_FINISHED TASK_FAILED TASK_KILLED TASK_ERROR TASK_LOST
    TASK_DROPPED TASK_UNREACHABLE TASK_GONE TASK_GONE_BY_OPERATOR TASK_UNKNOWN
    """,
)

TASK_STATUS_REASON = enum(
    "Reason",
    """
    REASON_COMMAND_EXECUTOR_FAILED REASON_CONTAINER_LAUNCH_FAILED REASON_CONTAINER_LIMITATION
    REASON_CONTAINER_LIMITATION_DISK REASON_CONTAINER_LIMITATION_MEMORY REASON_CONTAINER_PREEMPTED
    REASON_CONTAINER_UPDATE_FAILED REASON_MAX_COMPLETION_TIME_REACHED REASON_EXECUTOR_REGISTRATION_TIMEOUT
    REASON_EXECUTOR_REREGISTRATION_TIMEOUT REASON_EXECUTOR_TERMINATED REASON_EXECUTOR_UNREGISTERED
    REASON_FRAMEWORK_REMOVED REASON_GC_ERROR REASON_INVALID_FRAMEWORKID REASON_INVALID_OFFERS
    REASON_IO_SWITCHBOARD_EXITED REASON_MASTER_DISCONNECTED REASON_RECONCILIATION REASON_RESOURCES_UNKNOWN
    REASON_AGENT_DISCONNECTED REASON_AGENT_DRAINING REASON_AGENT_REMOVED REASON_AGENT_REMOVED_BY_OPERATOR
    REASON_AGENT_REREGISTERED REASON_AGENT_RESTARTED REASON_AGENT_UNKNOWN REASON_TASK_KILLED_DURING_LAUNCH
    REASON_TASK_CHECK_STATUS_UPDATED REASON_TASK_HEALTH_CHECK_STATUS_UPDATED REASON_TASK_GROUP_INVALID
    REASON_TASK_GROUP_UNAUTHORIZED REASON_TASK_INVALID REASON_TASK_UNAUTHORIZED REASON_TASK_UNKNOWN
    """,
)

TASK_RESOURCE_LIMITATION = message("TaskResourceLimitation", resources=repeated(RESOURCE))

TASK_STATUS = message(
    "TaskStatus",
    task_id=required(TASK_ID),
    state=required(TASK_STATE),
    message=optional(STRING),
    source=optional(enum("Source", "SOURCE_MASTER SOURCE_AGENT SOURCE_EXECUTOR")),
    reason=optional(TASK_STATUS_REASON),
    data=optional(BYTES),
    agent_id=optional(AGENT_ID),
    executor_id=optional(EXECUTOR_ID),
    timestamp=optional(DOUBLE),
    uuid=optional(BYTES),
    healthy=optional(BOOL),
    check_status=optional(CHECK_STATUS_INFO),
    labels=optional(LABELS),
    container_status=optional(CONTAINER_STATUS),
    unreachable_time=optional(TIME_INFO),
    limitation=optional(TASK_RESOURCE_LIMITATION),
)
