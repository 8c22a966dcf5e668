"""What an operator calls of a master (docs/spec/http.md section 9)."""

from __future__ import annotations

from mesolite.gateway.v1.schema.identifiers import AGENT_ID, DURATION, DURATION_INFO, FRAMEWORK_ID, MACHINE_ID
from mesolite.gateway.v1.schema.kinds import BOOL, STRING, UINT32, UINT64, enum, message, optional, repeated, required
from mesolite.gateway.v1.schema.operations import QUOTA_CONFIG, QUOTA_REQUEST, SCHEDULE, WEIGHT_INFO
from mesolite.gateway.v1.schema.resources import RESOURCE, SCALAR

CALL_TYPE = enum(
    "Type",
    """
    UNKNOWN GET_HEALTH GET_FLAGS GET_VERSION GET_METRICS GET_LOGGING_LEVEL SET_LOGGING_LEVEL LIST_FILES READ_FILE
    GET_STATE GET_AGENTS GET_FRAMEWORKS GET_EXECUTORS GET_OPERATIONS GET_TASKS GET_ROLES GET_WEIGHTS UPDATE_WEIGHTS
    GET_MASTER SUBSCRIBE RESERVE_RESOURCES UNRESERVE_RESOURCES CREATE_VOLUMES DESTROY_VOLUMES GROW_VOLUME
    SHRINK_VOLUME GET_MAINTENANCE_STATUS GET_MAINTENANCE_SCHEDULE UPDATE_MAINTENANCE_SCHEDULE START_MAINTENANCE
    STOP_MAINTENANCE DRAIN_AGENT DEACTIVATE_AGENT REACTIVATE_AGENT GET_QUOTA UPDATE_QUOTA SET_QUOTA REMOVE_QUOTA
    TEARDOWN MARK_AGENT_GONE X_MESOLITE_RECLAIM
    """,
)

MASTER_CALL = message(
    "Call",
    type=optional(CALL_TYPE),
    get_metrics=optional(message("GetMetrics", timeout=optional(DURATION_INFO))),
    set_logging_level=optional(message("SetLoggingLevel", level=required(UINT32), duration=required(DURATION_INFO))),
    list_files=optional(message("ListFiles", path=required(STRING))),
    read_file=optional(message("ReadFile", path=required(STRING), offset=required(UINT64), length=optional(UINT64))),
    update_weights=optional(message("UpdateWeights", weight_infos=repeated(WEIGHT_INFO))),
    reserve_resources=optional(
        message(
            "ReserveResources", agent_id=required(AGENT_ID), source=repeated(RESOURCE), resources=repeated(RESOURCE)
        )
    ),
    unreserve_resources=optional(
        message("UnreserveResources", agent_id=required(AGENT_ID), resources=repeated(RESOURCE))
    ),
    create_volumes=optional(message("CreateVolumes", agent_id=required(AGENT_ID), volumes=repeated(RESOURCE))),
    destroy_volumes=optional(message("DestroyVolumes", agent_id=required(AGENT_ID), volumes=repeated(RESOURCE))),
    grow_volume=optional(
        message("GrowVolume", agent_id=optional(AGENT_ID), volume=required(RESOURCE), addition=required(RESOURCE))
    ),
    shrink_volume=optional(
        message("ShrinkVolume", agent_id=optional(AGENT_ID), volume=required(RESOURCE), subtract=required(SCALAR))
    ),
    update_maintenance_schedule=optional(message("UpdateMaintenanceSchedule", schedule=required(SCHEDULE))),
    start_maintenance=optional(message("StartMaintenance", machines=repeated(MACHINE_ID))),
    stop_maintenance=optional(message("StopMaintenance", machines=repeated(MACHINE_ID))),
    drain_agent=optional(
        message(
            "DrainAgent", agent_id=required(AGENT_ID), max_grace_period=optional(DURATION), mark_gone=optional(BOOL)
        )
    ),
    deactivate_agent=optional(message("DeactivateAgent", agent_id=required(AGENT_ID))),
    reactivate_agent=optional(message("ReactivateAgent", agent_id=required(AGENT_ID))),
    update_quota=optional(message("UpdateQuota", force=optional(BOOL), quota_configs=repeated(QUOTA_CONFIG))),
    teardown=optional(message("Teardown", framework_id=required(FRAMEWORK_ID))),
    mark_agent_gone=optional(message("MarkAgentGone", agent_id=required(AGENT_ID))),
    set_quota=optional(message("SetQuota", quota_request=required(QUOTA_REQUEST))),
    remove_quota=optional(message("RemoveQuota", role=required(STRING))),
    x_mesolite_reclaim=optional(
        message("Reclaim", agent_id=required(AGENT_ID), resources=repeated(RESOURCE), within=required(DURATION))
    ),
)
