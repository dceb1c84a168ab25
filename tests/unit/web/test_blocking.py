"""Who keeps programs out."""

import pytest

from ingest.web.blocking import blocked_by

CHALLENGE = b"<html><head><title>Just a moment...</title></head><body>cf-chl</body></html>"


@pytest.mark.parametrize(
    ("status", "headers", "body", "service"),
    [
        (403, {"cf-mitigated": "challenge"}, b"", "Cloudflare"),
        (200, {"cf-mitigated": "challenge"}, b"", "Cloudflare"),
        (503, {}, CHALLENGE, "Cloudflare"),
        (200, {}, CHALLENGE, "Cloudflare"),
        (403, {"server": "cloudflare"}, b"", "Cloudflare"),
        (403, {"x-datadome": "protected"}, b"", "DataDome"),
        (202, {}, b"<html>/.well-known/sgcaptcha/</html>", "SiteGround"),
        (403, {"server": "AkamaiGHost"}, b"<html>Reference", "Akamai"),
        (200, {"server": "cloudflare", "x-datadome": "protected"}, b"<rss/>", None),
        (404, {"server": "cloudflare"}, b"", None),
        (403, {}, b"Forbidden", None),
        (200, {}, b"<rss>cf-chl is the name of a cookie</rss>", None),
    ],
)
def test_services(status: int, headers: dict[str, str], body: bytes, service: str | None) -> None:
    assert blocked_by(status, headers, body) == service
