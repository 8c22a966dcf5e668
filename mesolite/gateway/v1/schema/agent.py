"""What an operator calls of an agent (docs/spec/http.md section 10)."""

from __future__ import annotations

from mesolite.gateway.v1.schema.commands import COMMAND_INFO
from mesolite.gateway.v1.schema.containers import CONTAINER_INFO, TTY_INFO
from mesolite.gateway.v1.schema.identifiers import CONTAINER_ID, DURATION_INFO, RESOURCE_PROVIDER_ID
from mesolite.gateway.v1.schema.kinds import (
    BOOL,
    BYTES,
    INT32,
    STRING,
    UINT32,
    UINT64,
    enum,
    mapped,
    message,
    optional,
    repeated,
    required,
)
from mesolite.gateway.v1.schema.resources import RESOURCE, SCALAR
from mesolite.gateway.v1.schema.volumes import IMAGE

CALL_TYPE = enum(
    "Type",
    """
    UNKNOWN GET_HEALTH GET_FLAGS GET_VERSION GET_METRICS GET_LOGGING_LEVEL SET_LOGGING_LEVEL LIST_FILES READ_FILE
    GET_STATE GET_CONTAINERS GET_FRAMEWORKS GET_EXECUTORS GET_OPERATIONS GET_TASKS GET_AGENT GET_RESOURCE_PROVIDERS
    LAUNCH_NESTED_CONTAINER WAIT_NESTED_CONTAINER KILL_NESTED_CONTAINER REMOVE_NESTED_CONTAINER
    LAUNCH_NESTED_CONTAINER_SESSION ATTACH_CONTAINER_INPUT ATTACH_CONTAINER_OUTPUT LAUNCH_CONTAINER WAIT_CONTAINER
    KILL_CONTAINER REMOVE_CONTAINER ADD_RESOURCE_PROVIDER_CONFIG UPDATE_RESOURCE_PROVIDER_CONFIG
    REMOVE_RESOURCE_PROVIDER_CONFIG MARK_RESOURCE_PROVIDER_GONE PRUNE_IMAGES
    """,
)

PROCESS_IO = message(
    "ProcessIO",
    type=optional(enum("Type", "UNKNOWN DATA CONTROL")),
    data=optional(message("Data", type=optional(enum("Type", "UNKNOWN STDIN STDOUT STDERR")), data=optional(BYTES))),
    control=optional(
        message(
            "Control",
            type=optional(enum("Type", "UNKNOWN TTY_INFO HEARTBEAT")),
            tty_info=optional(TTY_INFO),
            heartbeat=optional(message("Heartbeat", interval=optional(DURATION_INFO))),
        )
    ),
)

AGENT_CALL = message(
    "Call",
    type=optional(CALL_TYPE),
    get_metrics=optional(message("GetMetrics", timeout=optional(DURATION_INFO))),
    set_logging_level=optional(message("SetLoggingLevel", level=required(UINT32), duration=required(DURATION_INFO))),
    list_files=optional(message("ListFiles", path=required(STRING))),
    read_file=optional(message("ReadFile", path=required(STRING), offset=required(UINT64), length=optional(UINT64))),
    get_containers=optional(message("GetContainers", show_nested=optional(BOOL), show_standalone=optional(BOOL))),
    launch_nested_container=optional(
        message(
            "LaunchNestedContainer",
            container_id=required(CONTAINER_ID),
            command=optional(COMMAND_INFO),
            container=optional(CONTAINER_INFO),
        )
    ),
    wait_nested_container=optional(message("WaitNestedContainer", container_id=required(CONTAINER_ID))),
    kill_nested_container=optional(
        message("KillNestedContainer", container_id=required(CONTAINER_ID), signal=optional(INT32))
    ),
    remove_nested_container=optional(message("RemoveNestedContainer", container_id=required(CONTAINER_ID))),
    launch_nested_container_session=optional(
        message(
            "LaunchNestedContainerSession",
            container_id=required(CONTAINER_ID),
            command=optional(COMMAND_INFO),
            container=optional(CONTAINER_INFO),
        )
    ),
    attach_container_input=optional(
        message(
            "AttachContainerInput",
            type=optional(enum("Type", "UNKNOWN CONTAINER_ID PROCESS_IO")),
            container_id=optional(CONTAINER_ID),
            process_io=optional(PROCESS_IO),
        )
    ),
    attach_container_output=optional(message("AttachContainerOutput", container_id=required(CONTAINER_ID))),
    launch_container=optional(
        message(
            "LaunchContainer",
            container_id=required(CONTAINER_ID),
            command=optional(COMMAND_INFO),
            resources=repeated(RESOURCE),
            container=optional(CONTAINER_INFO),
            limits=mapped(SCALAR),
        )
    ),
    wait_container=optional(message("WaitContainer", container_id=required(CONTAINER_ID))),
    kill_container=optional(message("KillContainer", container_id=required(CONTAINER_ID), signal=optional(INT32))),
    remove_container=optional(message("RemoveContainer", container_id=required(CONTAINER_ID))),
    remove_resource_provider_config=optional(
        message("RemoveResourceProviderConfig", type=required(STRING), name=required(STRING))
    ),
    mark_resource_provider_gone=optional(
        message("MarkResourceProviderGone", resource_provider_id=required(RESOURCE_PROVIDER_ID))
    ),
    prune_images=optional(message("PruneImages", excluded_images=repeated(IMAGE))),
)
