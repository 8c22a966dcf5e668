"""Images, secrets and volumes."""

from __future__ import annotations

from mesolite.gateway.v1.schema.identifiers import LABELS, PARAMETERS
from mesolite.gateway.v1.schema.kinds import BOOL, BYTES, STRING, enum, mapped, message, optional, repeated, required

CREDENTIAL = message("Credential", principal=required(STRING), secret=optional(STRING))

SECRET = message(
    "Secret",
    type=optional(enum("Type", "UNKNOWN REFERENCE VALUE")),
    reference=optional(message("Reference", name=required(STRING), key=optional(STRING))),
    value=optional(message("Value", data=required(BYTES))),
)

IMAGE = message(
    "Image",
    type=required(enum("Type", "APPC DOCKER")),
    appc=optional(message("Appc", name=required(STRING), id=optional(STRING), labels=optional(LABELS))),
    docker=optional(message("Docker", name=required(STRING), credential=optional(CREDENTIAL), config=optional(SECRET))),
    cached=optional(BOOL),
)

MOUNT_PROPAGATION = message("MountPropagation", mode=optional(enum("Mode", "UNKNOWN HOST_TO_CONTAINER BIDIRECTIONAL")))

ACCESS_MODE = enum(
    "Mode",
    """
    UNKNOWN SINGLE_NODE_WRITER SINGLE_NODE_READER_ONLY MULTI_NODE_READER_ONLY MULTI_NODE_SINGLE_WRITER
    MULTI_NODE_MULTI_WRITER
    """,
)

VOLUME_CAPABILITY = message(
    "Volume.Source.CSIVolume.VolumeCapability",
    block=optional(message("BlockVolume")),
    mount=optional(message("MountVolume", fs_type=optional(STRING), mount_flags=repeated(STRING))),
    access_mode=required(message("AccessMode", mode=required(ACCESS_MODE))),
)

VOLUME = message(
    "Volume",
    mode=required(enum("Mode", "RW RO")),
    container_path=required(STRING),
    host_path=optional(STRING),
    image=optional(IMAGE),
    source=optional(
        message(
            "Source",
            type=optional(enum("Type", "UNKNOWN DOCKER_VOLUME HOST_PATH SANDBOX_PATH SECRET CSI_VOLUME")),
            docker_volume=optional(
                message(
                    "DockerVolume", driver=optional(STRING), name=required(STRING), driver_options=optional(PARAMETERS)
                )
            ),
            host_path=optional(
                message("HostPath", path=required(STRING), mount_propagation=optional(MOUNT_PROPAGATION))
            ),
            sandbox_path=optional(
                message("SandboxPath", type=optional(enum("Type", "UNKNOWN SELF PARENT")), path=required(STRING))
            ),
            secret=optional(SECRET),
            csi_volume=optional(
                message(
                    "CSIVolume",
                    plugin_name=required(STRING),
                    static_provisioning=optional(
                        message(
                            "StaticProvisioning",
                            volume_id=required(STRING),
                            volume_capability=required(VOLUME_CAPABILITY),
                            node_stage_secrets=mapped(SECRET),
                            node_publish_secrets=mapped(SECRET),
                            volume_context=mapped(STRING),
                        )
                    ),
                )
            ),
        )
    ),
)
