"""WebSub (W3C Recommendation, 2018): the subscriber's requests, and the checks of what hubs send. Pure."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

__all__ = [
    "LEASE",
    "SignatureCheck",
    "Verification",
    "lease",
    "signature_check",
    "subscription_form",
    "verify",
]

# The lease to ask for. Hubs grant what they like.
LEASE = timedelta(days=10)
# With a shorter lease a hub would be asked all the time. With a longer one, it could forget us unnoticed.
SHORTEST_LEASE, LONGEST_LEASE = timedelta(minutes=10), timedelta(days=30)
_HASHES = {"sha1": hashlib.sha1, "sha256": hashlib.sha256, "sha384": hashlib.sha384, "sha512": hashlib.sha512}
_CHALLENGE = re.compile(r"[\x21-\x7e]{1,1000}")


def subscription_form(topic: str, callback: str, secret: str) -> dict[str, str]:
    """Return the form fields of a subscription request (5.1)."""
    return {
        "hub.mode": "subscribe",
        "hub.topic": topic,
        "hub.callback": callback,
        "hub.secret": secret,
        "hub.lease_seconds": str(int(LEASE.total_seconds())),
    }


@dataclass(frozen=True)
class Verification:
    """The meaning of a hub's request to the callback: `subscribed`, `denied` (with the reason), or `refused` by us."""

    outcome: str
    challenge: str = ""
    lease: timedelta = LEASE
    reason: str = ""


def verify(query: Mapping[str, str], topic: str) -> Verification:
    """Return the answer to a hub that asks whether a subscription to `topic` is wanted (5.3)."""
    mode = query.get("hub.mode", "")
    if query.get("hub.topic") != topic:
        return Verification("refused")
    if mode == "denied":
        return Verification("denied", reason=query.get("hub.reason", "")[:200])
    challenge = query.get("hub.challenge", "")
    # The challenge is echoed, so it may only hold characters that a token consists of.
    if mode != "subscribe" or not _CHALLENGE.fullmatch(challenge):
        return Verification("refused")
    return Verification("subscribed", challenge, lease(query.get("hub.lease_seconds", "")))


def lease(value: str) -> timedelta:
    """Return the lease that a hub grants, within bounds. Without a value, the one we asked for."""
    if not (value.isascii() and value.isdigit()):
        return LEASE
    return min(max(timedelta(seconds=min(int(value[:10]), 10**9)), SHORTEST_LEASE), LONGEST_LEASE)


class SignatureCheck:
    """Compares a signature with that of a body, which it is fed piece by piece."""

    def __init__(self, method: str, digest: str, secret: str) -> None:
        self._digest = digest
        self._hmac = hmac.new(secret.encode(), digestmod=_HASHES[method])

    def update(self, piece: bytes) -> None:
        """Add the next bytes of the body."""
        self._hmac.update(piece)

    def holds(self) -> bool:
        """Return whether the signature is that of all bytes added so far."""
        return hmac.compare_digest(self._hmac.hexdigest(), self._digest)


def signature_check(header: str | None, secret: str) -> SignatureCheck | None:
    """Return a check of the signature in X-Hub-Signature (7.1), made with this secret.

    Returns None if there is no usable signature: it is missing, its method is unknown, or it is not a digest.
    """
    method, _, digest = (header or "").strip().lower().partition("=")
    made_by, digest = _HASHES.get(method), digest.strip()
    if made_by is None or not re.fullmatch(rf"[0-9a-f]{{{2 * made_by().digest_size}}}", digest):
        return None
    return SignatureCheck(method, digest, secret)
