"""Settings of the embedded server."""

import os


def _shared_buffers() -> str:
    """An eighth of the machine's memory, between 256 MB and 2 GB. It is allocated as needed."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 1_000_000
    return f"{min(max(memory // 8, 256), 2048)}MB"


SERVER_SETTINGS = {
    "listen_addresses": "",
    # 0700: peer authentication already tells users apart; this keeps others from even connecting.
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": _shared_buffers(),
    # With a checkpoint every 1 GB (the default), a large import would have one every few seconds.
    "max_wal_size": "4GB",
    "jit": "off",
    # Most data is on solid-state disks today. The default is for hard disks.
    "random_page_cost": "1.1",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "cluster_name": "news",
}
