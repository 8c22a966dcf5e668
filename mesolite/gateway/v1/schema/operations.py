"""What operators plan: maintenance, quota and weights."""

from __future__ import annotations

from mesolite.gateway.v1.schema.identifiers import MACHINE_ID, UNAVAILABILITY
from mesolite.gateway.v1.schema.kinds import BOOL, DOUBLE, STRING, mapped, message, optional, repeated, required
from mesolite.gateway.v1.schema.resources import RESOURCE, SCALAR

WEIGHT_INFO = message("WeightInfo", weight=required(DOUBLE), role=optional(STRING))

WINDOW = message("Window", machine_ids=repeated(MACHINE_ID), unavailability=required(UNAVAILABILITY))

SCHEDULE = message("Schedule", windows=repeated(WINDOW))

QUOTA_CONFIG = message("QuotaConfig", role=required(STRING), guarantees=mapped(SCALAR), limits=mapped(SCALAR))

QUOTA_REQUEST = message("QuotaRequest", force=optional(BOOL), role=optional(STRING), guarantee=repeated(RESOURCE))
