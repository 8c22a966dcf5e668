"""What a scheduler calls (docs/spec/http.md section 7)."""

from __future__ import annotations

from mesolite.gateway.v1.schema.checks import KILL_POLICY
from mesolite.gateway.v1.schema.frameworks import FRAMEWORK_INFO, OFFER_CONSTRAINTS
from mesolite.gateway.v1.schema.identifiers import (
    AGENT_ID,
    EXECUTOR_ID,
    FRAMEWORK_ID,
    OFFER_ID,
    OPERATION_ID,
    RESOURCE_PROVIDER_ID,
    TASK_ID,
)
from mesolite.gateway.v1.schema.kinds import BYTES, STRING, enum, message, optional, repeated, required
from mesolite.gateway.v1.schema.offers import FILTERS, OPERATION, REQUEST

CALL_TYPE = enum(
    "Type",
    """
    UNKNOWN SUBSCRIBE TEARDOWN ACCEPT DECLINE ACCEPT_INVERSE_OFFERS DECLINE_INVERSE_OFFERS REVIVE KILL SHUTDOWN
    ACKNOWLEDGE ACKNOWLEDGE_OPERATION_STATUS RECONCILE RECONCILE_OPERATIONS MESSAGE REQUEST SUPPRESS
    UPDATE_FRAMEWORK
    """,
)

SCHEDULER_CALL = message(
    "Call",
    framework_id=optional(FRAMEWORK_ID),
    type=optional(CALL_TYPE),
    subscribe=optional(
        message(
            "Subscribe",
            framework_info=required(FRAMEWORK_INFO),
            suppressed_roles=repeated(STRING),
            offer_constraints=optional(OFFER_CONSTRAINTS),
        )
    ),
    accept=optional(
        message("Accept", offer_ids=repeated(OFFER_ID), operations=repeated(OPERATION), filters=optional(FILTERS))
    ),
    decline=optional(message("Decline", offer_ids=repeated(OFFER_ID), filters=optional(FILTERS))),
    accept_inverse_offers=optional(
        message(
            "AcceptInverseOffers",
            inverse_offer_ids=repeated(OFFER_ID),
            filters=optional(FILTERS),
            x_mesolite_returning=repeated(TASK_ID),
        )
    ),
    decline_inverse_offers=optional(
        message(
            "DeclineInverseOffers",
            inverse_offer_ids=repeated(OFFER_ID),
            filters=optional(FILTERS),
            x_mesolite_reason=optional(STRING),
        )
    ),
    revive=optional(message("Revive", roles=repeated(STRING))),
    kill=optional(
        message("Kill", task_id=required(TASK_ID), agent_id=optional(AGENT_ID), kill_policy=optional(KILL_POLICY))
    ),
    shutdown=optional(message("Shutdown", executor_id=required(EXECUTOR_ID), agent_id=required(AGENT_ID))),
    acknowledge=optional(
        message("Acknowledge", agent_id=required(AGENT_ID), task_id=required(TASK_ID), uuid=required(BYTES))
    ),
    acknowledge_operation_status=optional(
        message(
            "AcknowledgeOperationStatus",
            agent_id=optional(AGENT_ID),
            resource_provider_id=optional(RESOURCE_PROVIDER_ID),
            uuid=required(BYTES),
            operation_id=required(OPERATION_ID),
        )
    ),
    reconcile=optional(
        message("Reconcile", tasks=repeated(message("Task", task_id=required(TASK_ID), agent_id=optional(AGENT_ID))))
    ),
    reconcile_operations=optional(
        message(
            "ReconcileOperations",
            operations=repeated(
                message(
                    "Operation",
                    operation_id=required(OPERATION_ID),
                    agent_id=optional(AGENT_ID),
                    resource_provider_id=optional(RESOURCE_PROVIDER_ID),
                )
            ),
        )
    ),
    message=optional(
        message("Message", agent_id=required(AGENT_ID), executor_id=required(EXECUTOR_ID), data=required(BYTES))
    ),
    request=optional(message("Request", requests=repeated(REQUEST))),
    suppress=optional(message("Suppress", roles=repeated(STRING))),
    update_framework=optional(
        message(
            "UpdateFramework",
            framework_info=required(FRAMEWORK_INFO),
            suppressed_roles=repeated(STRING),
            offer_constraints=optional(OFFER_CONSTRAINTS),
        )
    ),
)
