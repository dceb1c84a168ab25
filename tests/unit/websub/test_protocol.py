"""WebSub: what is said to a hub, and what is believed."""

import hashlib
import hmac
from datetime import timedelta

import pytest

from ingest.websub.protocol import lease, signature_check, subscription_form, verify

TOPIC = "https://a.example/feed"


QUERY = {"hub.mode": "subscribe", "hub.topic": TOPIC, "hub.challenge": "abc", "hub.lease_seconds": "3600"}


@pytest.mark.parametrize(
    ("query", "outcome"),
    [
        (QUERY, "subscribed"),
        (QUERY | {"hub.topic": "https://b.example/"}, "refused"),
        (QUERY | {"hub.mode": "unsubscribe"}, "refused"),
        (QUERY | {"hub.challenge": ""}, "refused"),
        (QUERY | {"hub.challenge": "<script> x"}, "refused"),
        (QUERY | {"hub.challenge": "x" * 2000}, "refused"),
        (QUERY | {"hub.mode": "denied", "hub.reason": "no"}, "denied"),
        ({}, "refused"),
    ],
)
def test_questions_of_hubs(query: dict[str, str], outcome: str) -> None:
    assert verify(query, TOPIC).outcome == outcome


@pytest.mark.parametrize(
    ("value", "granted"),
    [
        ("86400", timedelta(days=1)),
        ("1", timedelta(minutes=10)),
        ("99999999999", timedelta(days=30)),
        ("", timedelta(days=10)),
        ("-5", timedelta(days=10)),
    ],
)
def test_leases_are_bounded(value: str, granted: timedelta) -> None:
    assert lease(value) == granted


def is_signed(body: bytes, header: str | None, secret: str) -> bool:
    check = signature_check(header, secret)
    if check is None:
        return False
    for start in range(0, len(body), 3):
        check.update(body[start : start + 3])
    return check.holds()


@pytest.mark.parametrize("method", ["sha1", "sha256", "sha384", "sha512"])
def test_signatures(method: str) -> None:
    body, secret = "خبر".encode(), "secret"
    digest = hmac.new(secret.encode(), body, getattr(hashlib, method)).hexdigest()
    assert is_signed(body, f"{method}={digest}", secret)
    assert is_signed(body, f"{method.upper()}={digest.upper()}", secret)
    assert not is_signed(body + b" ", f"{method}={digest}", secret)
    assert not is_signed(body, f"{method}={digest}", "other")
    for wrong in (f"{method}={digest}0", f"md5={digest}", digest, f"{method}=", "", None, f"{method}=é", f"={digest}"):
        assert signature_check(wrong, secret) is None


def test_a_request_names_everything_a_hub_needs() -> None:
    form = subscription_form(TOPIC, "https://n.example/x", "s")
    assert form["hub.topic"] == TOPIC
    assert set(form) == {"hub.mode", "hub.topic", "hub.callback", "hub.secret", "hub.lease_seconds"}
