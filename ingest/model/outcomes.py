"""Possible outcomes of a request and of a poll."""

from enum import StrEnum

__all__ = ["LASTING", "NOT_ASKED", "FailureKind", "PollOutcome"]


class PollOutcome(StrEnum):
    """The values of `feed_polls.outcome`."""

    NEW = "new"
    UNCHANGED = "unchanged"
    NOT_MODIFIED = "not_modified"
    FAILED = "failed"


class FailureKind(StrEnum):
    """Why a request failed. The values of `feeds.failure` and `feed_polls.failure`."""

    # The host name does not resolve.
    DNS = "dns"
    # The connection was refused.
    REFUSED = "refused"
    # The certificate is invalid, or there is no common TLS version.
    TLS = "tls"
    # The response took too long.
    TIMEOUT = "timeout"
    # The connection broke, or the response is not HTTP.
    CONNECTION = "connection"
    # There were too many redirects, or one led nowhere.
    REDIRECTS = "redirects"
    # The address is not public, or the port is not a web port.
    BLOCKED = "blocked"
    # The body exceeds the limit.
    TOO_LARGE = "too_large"
    # A redirect without a location (3xx), a bad request (4xx), a server error (5xx and above).
    HTTP_3XX = "http_3xx"
    HTTP_4XX = "http_4xx"
    HTTP_5XX = "http_5xx"
    # HTTP 410: the document is gone for good.
    GONE = "gone"
    # The document is not a feed.
    NOT_A_FEED = "not_a_feed"
    # robots.txt disallows the address.
    ROBOTS = "robots"
    # robots.txt could not be read, so no request may be sent yet.
    ROBOTS_UNAVAILABLE = "robots_unavailable"
    # The host's next turn is too far off to wait for.
    BUSY = "busy"


# The host, not the document, kept the request from being sent. This does not count as an attempt.
NOT_ASKED = (FailureKind.ROBOTS_UNAVAILABLE, FailureKind.BUSY)
# The address is at fault, so a retry would fail in the same way.
LASTING = (FailureKind.BLOCKED, FailureKind.TOO_LARGE, FailureKind.REDIRECTS, FailureKind.ROBOTS)
