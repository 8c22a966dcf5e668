"""What a framework says of itself and of the offers that it wants."""

from __future__ import annotations

from mesolite.gateway.v1.schema.identifiers import FRAMEWORK_ID, LABELS
from mesolite.gateway.v1.schema.kinds import BOOL, DOUBLE, STRING, enum, mapped, message, optional, repeated, required
from mesolite.gateway.v1.schema.resources import SCALAR

FRAMEWORK_CAPABILITY = enum(
    "Type",
    """
    UNKNOWN REVOCABLE_RESOURCES TASK_KILLING_STATE GPU_RESOURCES SHARED_RESOURCES PARTITION_AWARE MULTI_ROLE
    RESERVATION_REFINEMENT REGION_AWARE
    """,
)

RESOURCE_QUANTITIES = message("OfferFilters.ResourceQuantities", quantities=mapped(SCALAR))

OFFER_FILTERS = message(
    "OfferFilters",
    min_allocatable_resources=optional(message("MinAllocatableResources", quantities=repeated(RESOURCE_QUANTITIES))),
)

FRAMEWORK_INFO = message(
    "FrameworkInfo",
    user=required(STRING),
    name=required(STRING),
    id=optional(FRAMEWORK_ID),
    failover_timeout=optional(DOUBLE),
    checkpoint=optional(BOOL),
    role=optional(STRING),
    roles=repeated(STRING),
    hostname=optional(STRING),
    principal=optional(STRING),
    webui_url=optional(STRING),
    capabilities=repeated(message("Capability", type=optional(FRAMEWORK_CAPABILITY))),
    labels=optional(LABELS),
    offer_filters=mapped(OFFER_FILTERS),
)

ATTRIBUTE_CONSTRAINT = message(
    "AttributeConstraint",
    selector=required(
        message(
            "Selector",
            pseudoattribute_type=optional(enum("PseudoattributeType", "UNKNOWN HOSTNAME REGION ZONE")),
            attribute_name=optional(STRING),
        )
    ),
    predicate=required(
        message(
            "Predicate",
            exists=optional(message("Exists")),
            not_exists=optional(message("NotExists")),
            text_equals=optional(message("TextEquals", value=required(STRING))),
            text_not_equals=optional(message("TextNotEquals", value=required(STRING))),
            text_matches=optional(message("TextMatches", regex=required(STRING))),
            text_not_matches=optional(message("TextNotMatches", regex=required(STRING))),
        )
    ),
)

OFFER_CONSTRAINTS = message(
    "OfferConstraints",
    role_constraints=mapped(
        message(
            "RoleConstraints", groups=repeated(message("Group", attribute_constraints=repeated(ATTRIBUTE_CONSTRAINT)))
        )
    ),
)
