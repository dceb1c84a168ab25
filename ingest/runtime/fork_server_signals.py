"""Imported only by the fork server. A signal to the process group is for the program, which ends its own server."""

import signal

signal.signal(signal.SIGTERM, signal.SIG_IGN)
