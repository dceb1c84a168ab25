"""The guard of an embedded server, started with it: `python -m db.embedded DATA_DIR`."""

import os
import sys
from pathlib import Path

from db.embedded.server import EmbeddedServer

# The parent exits at once, so that the guard is nobody's child.
if __name__ == "__main__" and os.fork() == 0:
    EmbeddedServer(Path(sys.argv[1])).guard()
