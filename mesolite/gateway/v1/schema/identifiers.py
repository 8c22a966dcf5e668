"""Identifiers, times and labels: what every other message is made of."""

from __future__ import annotations

from mesolite.gateway.v1.schema.kinds import INT32, INT64, ITSELF, STRING, message, optional, repeated, required

FRAMEWORK_ID = message("FrameworkID", value=required(STRING))

LABEL = message("Label", key=required(STRING), value=optional(STRING))

LABELS = message("Labels", labels=repeated(LABEL))

OFFER_ID = message("OfferID", value=required(STRING))

OPERATION_ID = message("OperationID", value=required(STRING))

TASK_ID = message("TaskID", value=required(STRING))

AGENT_ID = message("AgentID", value=required(STRING))

RESOURCE_PROVIDER_ID = message("ResourceProviderID", value=required(STRING))

PARAMETER = message("Parameter", key=required(STRING), value=required(STRING))

PARAMETERS = message("Parameters", parameter=repeated(PARAMETER))

EXECUTOR_ID = message("ExecutorID", value=required(STRING))

DURATION_INFO = message("DurationInfo", nanoseconds=required(INT64))

CONTAINER_ID = message("ContainerID", value=required(STRING), parent=optional(ITSELF))

TIME_INFO = message("TimeInfo", nanoseconds=required(INT64))

MACHINE_ID = message("MachineID", hostname=optional(STRING), ip=optional(STRING))

UNAVAILABILITY = message("Unavailability", start=required(TIME_INFO), duration=optional(DURATION_INFO))

DURATION = message("Duration", seconds=optional(INT64), nanos=optional(INT32))
"""The duration of Protocol Buffers itself, which only draining has (HT-289)."""
