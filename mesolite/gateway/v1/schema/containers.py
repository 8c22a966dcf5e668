"""What commands run in: containers, their networks, and what an executor says of them."""

from __future__ import annotations

from mesolite.gateway.v1.schema.identifiers import CONTAINER_ID, LABELS, PARAMETER
from mesolite.gateway.v1.schema.kinds import BOOL, STRING, UINT32, UINT64, enum, message, optional, repeated, required
from mesolite.gateway.v1.schema.volumes import IMAGE, VOLUME

NETWORK_PROTOCOL = enum("Protocol", "IPv4 IPv6")

NETWORK_INFO = message(
    "NetworkInfo",
    ip_addresses=repeated(message("IPAddress", protocol=optional(NETWORK_PROTOCOL), ip_address=optional(STRING))),
    name=optional(STRING),
    groups=repeated(STRING),
    labels=optional(LABELS),
    port_mappings=repeated(
        message("PortMapping", host_port=required(UINT32), container_port=required(UINT32), protocol=optional(STRING))
    ),
)

CAPABILITY = enum(
    "Capability",
    """
    UNKNOWN CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE
    NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE
    SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL
    SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE
    """,
)

CAPABILITY_INFO = message("CapabilityInfo", capabilities=repeated(CAPABILITY))

SECCOMP_INFO = message("SeccompInfo", profile_name=optional(STRING), unconfined=optional(BOOL))

LINUX_INFO = message(
    "LinuxInfo",
    capability_info=optional(CAPABILITY_INFO),
    bounding_capabilities=optional(CAPABILITY_INFO),
    effective_capabilities=optional(CAPABILITY_INFO),
    share_pid_namespace=optional(BOOL),
    seccomp=optional(SECCOMP_INFO),
    ipc_mode=optional(enum("IpcMode", "UNKNOWN PRIVATE SHARE_PARENT")),
    shm_size=optional(UINT32),
    share_cgroups=optional(BOOL),
)

RLIMIT_TYPE = enum(
    "Type",
    """
    UNKNOWN RLMT_AS RLMT_CORE RLMT_CPU RLMT_DATA RLMT_FSIZE RLMT_LOCKS RLMT_MEMLOCK RLMT_MSGQUEUE RLMT_NICE
    RLMT_NOFILE RLMT_NPROC RLMT_RSS RLMT_RTPRIO RLMT_RTTIME RLMT_SIGPENDING RLMT_STACK
    """,
)

RLIMIT_INFO = message(
    "RLimitInfo",
    rlimits=repeated(message("RLimit", type=optional(RLIMIT_TYPE), hard=optional(UINT64), soft=optional(UINT64))),
)

TTY_INFO = message(
    "TTYInfo", window_size=optional(message("WindowSize", rows=required(UINT32), columns=required(UINT32)))
)

CONTAINER_INFO = message(
    "ContainerInfo",
    type=required(enum("Type", "DOCKER MESOS")),
    volumes=repeated(VOLUME),
    hostname=optional(STRING),
    docker=optional(
        message(
            "DockerInfo",
            image=required(STRING),
            network=optional(enum("Network", "HOST BRIDGE NONE USER")),
            port_mappings=repeated(
                message(
                    "PortMapping",
                    host_port=required(UINT32),
                    container_port=required(UINT32),
                    protocol=optional(STRING),
                )
            ),
            privileged=optional(BOOL),
            parameters=repeated(PARAMETER),
            force_pull_image=optional(BOOL),
            volume_driver=optional(STRING),
        )
    ),
    mesos=optional(message("MesosInfo", image=optional(IMAGE))),
    network_infos=repeated(NETWORK_INFO),
    linux_info=optional(LINUX_INFO),
    rlimit_info=optional(RLIMIT_INFO),
    tty_info=optional(TTY_INFO),
)

CGROUP_INFO = message("CgroupInfo", net_cls=optional(message("NetCls", classid=optional(UINT32))))

CONTAINER_STATUS = message(
    "ContainerStatus",
    container_id=optional(CONTAINER_ID),
    network_infos=repeated(NETWORK_INFO),
    cgroup_info=optional(CGROUP_INFO),
    executor_pid=optional(UINT32),
)
