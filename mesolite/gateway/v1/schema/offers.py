"""What a scheduler does with offers: operations, filters and requests."""

from __future__ import annotations

from mesolite.gateway.v1.schema.identifiers import AGENT_ID, OPERATION_ID
from mesolite.gateway.v1.schema.kinds import DOUBLE, STRING, enum, message, optional, repeated, required
from mesolite.gateway.v1.schema.resources import DISK_SOURCE_TYPE, RESOURCE, SCALAR
from mesolite.gateway.v1.schema.tasks import EXECUTOR_INFO, TASK_GROUP_INFO, TASK_INFO

OPERATION_TYPE = enum(
    "Type",
    """
    UNKNOWN LAUNCH LAUNCH_GROUP RESERVE UNRESERVE CREATE DESTROY GROW_VOLUME SHRINK_VOLUME CREATE_DISK DESTROY_DISK
    """,
)

OPERATION = message(
    "Offer.Operation",
    type=optional(OPERATION_TYPE),
    id=optional(OPERATION_ID),
    launch=optional(message("Launch", task_infos=repeated(TASK_INFO))),
    launch_group=optional(
        message("LaunchGroup", executor=required(EXECUTOR_INFO), task_group=required(TASK_GROUP_INFO))
    ),
    reserve=optional(message("Reserve", source=repeated(RESOURCE), resources=repeated(RESOURCE))),
    unreserve=optional(message("Unreserve", resources=repeated(RESOURCE))),
    create=optional(message("Create", volumes=repeated(RESOURCE))),
    destroy=optional(message("Destroy", volumes=repeated(RESOURCE))),
    grow_volume=optional(message("GrowVolume", volume=required(RESOURCE), addition=required(RESOURCE))),
    shrink_volume=optional(message("ShrinkVolume", volume=required(RESOURCE), subtract=required(SCALAR))),
    create_disk=optional(
        message(
            "CreateDisk",
            source=required(RESOURCE),
            target_type=required(DISK_SOURCE_TYPE),
            target_profile=optional(STRING),
        )
    ),
    destroy_disk=optional(message("DestroyDisk", source=required(RESOURCE))),
)

FILTERS = message("Filters", refuse_seconds=optional(DOUBLE))

REQUEST = message("Request", agent_id=optional(AGENT_ID), resources=repeated(RESOURCE))
