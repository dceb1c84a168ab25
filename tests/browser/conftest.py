"""What tests in a browser share with the integration tests."""

from tests.collected import collect, templates

__all__ = ["collect", "templates"]
