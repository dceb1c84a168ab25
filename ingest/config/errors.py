"""Errors that the user can fix. The command line prints their message without a traceback."""

from pathlib import Path

__all__ = ["ConfigError", "IngestError"]


class IngestError(Exception):
    """A foreseeable failure. The command line exits with 1."""


class ConfigError(IngestError):
    """A setting, file or argument is wrong. The command line exits with 2."""

    @classmethod
    def at(cls, path: Path, line: int | None, problem: str) -> "ConfigError":
        """An error at a line (from 1) of a file, formatted as `path:line: problem`, like compiler errors."""
        place = f"{path}:{line}" if line is not None else str(path)
        return cls(f"{place}: {problem}")
