"""Outcomes of polls, and kinds of failure."""

from enum import StrEnum

__all__ = ["LASTING", "NOT_ASKED", "FailureKind", "PollOutcome"]


class PollOutcome(StrEnum):
    """The values of `feed_polls.outcome`."""

    NEW = "new"
    UNCHANGED = "unchanged"
    NOT_MODIFIED = "not_modified"
    FAILED = "failed"


class FailureKind(StrEnum):
    """Why a request brought nothing. The values of `feeds.failure` and `feed_polls.failure`."""

    # The name has no address.
    DNS = "dns"
    # Nothing listens at the address.
    REFUSED = "refused"
    # The certificate is not valid, or there is no common version of TLS.
    TLS = "tls"
    # The answer took too long.
    TIMEOUT = "timeout"
    # The connection broke, or the answer is no HTTP.
    CONNECTION = "connection"
    # There were too many redirects, or one led nowhere.
    REDIRECTS = "redirects"
    # The address is not public, or its port is none of a web server.
    BLOCKED = "blocked"
    # The body is larger than the limit.
    TOO_LARGE = "too_large"
    # A redirect without an address (3xx), a request that is wrong (4xx), a server in trouble (5xx and above).
    HTTP_3XX = "http_3xx"
    HTTP_4XX = "http_4xx"
    HTTP_5XX = "http_5xx"
    # HTTP 410: the document will not come back.
    GONE = "gone"
    # The document is no feed.
    NOT_A_FEED = "not_a_feed"
    # robots.txt forbids the address.
    ROBOTS = "robots"
    # robots.txt could not be read, so nothing may be asked for yet.
    ROBOTS_UNAVAILABLE = "robots_unavailable"
    # The host's next turn is too far off to wait for.
    BUSY = "busy"


# The host, not the document, is why nothing was asked for: no attempt is counted.
NOT_ASKED = (FailureKind.ROBOTS_UNAVAILABLE, FailureKind.BUSY)
# The address is wrong, and not the moment: asking again would bring the same.
LASTING = (FailureKind.BLOCKED, FailureKind.TOO_LARGE, FailureKind.REDIRECTS, FailureKind.ROBOTS)
