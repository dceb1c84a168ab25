"""WebSub (W3C Recommendation, 2018): what a subscriber says to hubs, and what it believes of what they say. Pure."""

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

# What is asked for; hubs grant what they like.
LEASE = timedelta(days=10)
# A hub that grants less would be asked all the time, one that grants more could forget about it unnoticed.
SHORTEST_LEASE, LONGEST_LEASE = timedelta(minutes=10), timedelta(days=30)
_HASHES = {"sha1": hashlib.sha1, "sha256": hashlib.sha256, "sha384": hashlib.sha384, "sha512": hashlib.sha512}
_CHALLENGE = re.compile(r"[\x21-\x7e]{1,1000}")


def subscription_form(topic: str, callback: str, secret: str) -> dict[str, str]:
    """Return the fields of a request to subscribe (5.1)."""
    return {
        "hub.mode": "subscribe",
        "hub.topic": topic,
        "hub.callback": callback,
        "hub.secret": secret,
        "hub.lease_seconds": str(int(LEASE.total_seconds())),
    }


@dataclass(frozen=True)
class Verification:
    """What a hub's request to the callback means: `subscribed`, `denied` (with why), or `refused` by this side."""

    outcome: str
    challenge: str = ""
    lease: timedelta = LEASE
    reason: str = ""


def verify(query: Mapping[str, str], topic: str) -> Verification:
    """Return what a hub's question, whether a subscription to `topic` is wanted, is to be answered with (5.3)."""
    mode = query.get("hub.mode", "")
    if query.get("hub.topic") != topic:
        return Verification("refused")
    if mode == "denied":
        return Verification("denied", reason=query.get("hub.reason", "")[:200])
    challenge = query.get("hub.challenge", "")
    # The challenge goes back as it came: nothing but what a token may consist of.
    if mode != "subscribe" or not _CHALLENGE.fullmatch(challenge):
        return Verification("refused")
    return Verification("subscribed", challenge, lease(query.get("hub.lease_seconds", "")))


def lease(value: str) -> timedelta:
    """Return the lease that a hub grants, within bounds; what is asked for where it does not say."""
    if not (value.isascii() and value.isdigit()):
        return LEASE
    return min(max(timedelta(seconds=min(int(value[:10]), 10**9)), SHORTEST_LEASE), LONGEST_LEASE)


class SignatureCheck:
    """Compares a signature with that of a body, which is shown to it piece by piece."""

    def __init__(self, method: str, digest: str, secret: str) -> None:
        self._digest = digest
        self._hmac = hmac.new(secret.encode(), digestmod=_HASHES[method])

    def update(self, piece: bytes) -> None:
        """Go on with the next bytes of the body."""
        self._hmac.update(piece)

    def holds(self) -> bool:
        """Return whether the signature is that of all that was shown."""
        return hmac.compare_digest(self._hmac.hexdigest(), self._digest)


def signature_check(header: str | None, secret: str) -> SignatureCheck | None:
    """Return what checks the signature that X-Hub-Signature states (7.1), made with this secret.

    None where it cannot be one: there is none, its method is not known, or it has not the form of a digest.
    """
    method, _, digest = (header or "").strip().lower().partition("=")
    made_by, digest = _HASHES.get(method), digest.strip()
    if made_by is None or not re.fullmatch(rf"[0-9a-f]{{{2 * made_by().digest_size}}}", digest):
        return None
    return SignatureCheck(method, digest, secret)
