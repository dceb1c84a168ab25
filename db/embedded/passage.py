"""Lets the server's user pass through directories of others, by access control lists."""

import contextlib
import os
import stat
import struct
from pathlib import Path

from db.embedded.owner import SERVER_USER
from db.errors import DatabaseUnavailable

# acl(5) in the binary form of the extended attribute (Linux: posix_acl_xattr.h): a version, then entries of
# tag, permissions and user or group id.
_ACL_ATTRIBUTE = "system.posix_acl_access"
_ACL_VERSION = 2
_USER_OBJ, _USER, _GROUP_OBJ, _GROUP, _MASK, _OTHER = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
_NO_ID = 0xFFFFFFFF
_EXECUTE = 1


def let_through(path: Path, uid: int) -> None:
    """Let user `uid`, and nobody else, pass through every directory above `path`, without reading any of them."""
    for directory in path.resolve().parents:
        status = directory.stat()
        if status.st_mode & stat.S_IXOTH or status.st_uid == uid:
            continue
        try:
            _grant_execute(directory, status.st_mode, uid)
        except OSError as error:
            raise DatabaseUnavailable(
                f"the user {SERVER_USER}, who runs the embedded PostgreSQL for root, cannot pass through {directory} "
                f"({error.strerror}). Either `chmod o+x {directory}`, or set NEWS_DATA_DIR to another place"
            ) from error


def _grant_execute(directory: Path, mode: int, uid: int) -> None:
    entries: dict[tuple[int, int], int] = {
        (_USER_OBJ, _NO_ID): mode >> 6 & 7,
        (_GROUP_OBJ, _NO_ID): mode >> 3 & 7,
        (_OTHER, _NO_ID): mode & 7,
    }
    with contextlib.suppress(OSError):
        present = os.getxattr(directory, _ACL_ATTRIBUTE)
        entries = {(tag, who): rights for tag, rights, who in struct.iter_unpack("<HHI", present[4:])}
    # A later chmod sets the mask, which restricts what is granted to named users.
    if entries.get((_USER, uid), 0) & entries.get((_MASK, _NO_ID), 0) & _EXECUTE:
        return
    entries[_USER, uid] = entries.get((_USER, uid), 0) | _EXECUTE
    entries[_MASK, _NO_ID] = entries.get((_MASK, _NO_ID), entries[_GROUP_OBJ, _NO_ID]) | _EXECUTE
    packed = b"".join(struct.pack("<HHI", tag, rights, who) for (tag, who), rights in sorted(entries.items()))
    os.setxattr(directory, _ACL_ATTRIBUTE, struct.pack("<I", _ACL_VERSION) + packed)
