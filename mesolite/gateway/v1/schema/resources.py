"""Resources, with their reservations and disks."""

from __future__ import annotations

from mesolite.gateway.v1.schema.identifiers import LABELS, RESOURCE_PROVIDER_ID
from mesolite.gateway.v1.schema.kinds import DOUBLE, STRING, UINT64, enum, message, optional, repeated, required
from mesolite.gateway.v1.schema.volumes import VOLUME

SCALAR = message("Value.Scalar", value=required(DOUBLE))

VALUE_TYPE = enum("Type", "SCALAR RANGES SET TEXT")

RANGE = message("Value.Range", begin=required(UINT64), end=required(UINT64))

RANGES = message("Value.Ranges", range=repeated(RANGE))

SET = message("Value.Set", item=repeated(STRING))

RESERVATION_INFO = message(
    "Resource.ReservationInfo",
    type=optional(enum("Type", "UNKNOWN STATIC DYNAMIC")),
    role=optional(STRING),
    principal=optional(STRING),
    labels=optional(LABELS),
)

DISK_SOURCE_TYPE = enum("Type", "UNKNOWN PATH MOUNT BLOCK RAW")

RESOURCE = message(
    "Resource",
    provider_id=optional(RESOURCE_PROVIDER_ID),
    name=required(STRING),
    type=required(VALUE_TYPE),
    scalar=optional(SCALAR),
    ranges=optional(RANGES),
    set=optional(SET),
    role=optional(STRING),
    allocation_info=optional(message("AllocationInfo", role=optional(STRING))),
    reservation=optional(RESERVATION_INFO),
    reservations=repeated(RESERVATION_INFO),
    disk=optional(
        message(
            "DiskInfo",
            persistence=optional(message("Persistence", id=required(STRING), principal=optional(STRING))),
            volume=optional(VOLUME),
            source=optional(
                message(
                    "Source",
                    type=required(DISK_SOURCE_TYPE),
                    path=optional(message("Path", root=optional(STRING))),
                    mount=optional(message("Mount", root=optional(STRING))),
                    vendor=optional(STRING),
                    id=optional(STRING),
                    metadata=optional(LABELS),
                    profile=optional(STRING),
                )
            ),
        )
    ),
    revocable=optional(message("RevocableInfo")),
    shared=optional(message("SharedInfo")),
)
