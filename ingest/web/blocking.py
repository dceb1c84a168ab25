"""Who keeps programs out: the services that answer in a server's place, told by what they write. Pure."""

from collections.abc import Mapping

__all__ = ["blocked_by"]

# Headers that only the service sends, in lower case, with its name.
_HEADERS = {
    "cf-mitigated": "Cloudflare",
    "x-datadome": "DataDome",
    "x-datadome-cid": "DataDome",
    "x-amzn-waf-action": "AWS WAF",
    "x-vercel-mitigated": "Vercel",
    "x-px-authorization": "HUMAN",
    "x-sucuri-block": "Sucuri",
}
# The value of `Server` of services that answer themselves if they refuse.
_SERVERS = {
    "cloudflare": "Cloudflare",
    "akamaighost": "Akamai",
    "sucuri/cloudproxy": "Sucuri",
    "ddos-guard": "DDoS-Guard",
}
# What their pages have, in lower case, near the start.
_WORDS = {
    b"cf-chl": "Cloudflare",
    b"<title>just a moment...</title>": "Cloudflare",
    b"captcha-delivery.com": "DataDome",
    b"incapsula incident": "Imperva",
    b"_incapsula_resource": "Imperva",
    b"sgcaptcha": "SiteGround",
    b"px-captcha": "HUMAN",
    b"sucuri website firewall": "Sucuri",
    b"ddos-guard": "DDoS-Guard",
    b"awswafintegration": "AWS WAF",
}
WORDS_WITHIN = 20_000
_REFUSALS = (403, 406, 429, 503)


def blocked_by(status: int, headers: Mapping[str, str], body: bytes) -> str | None:
    """Return which service refused a request as coming from a program, or None if none is known to have.

    `headers` has names in lower case. Only a refusal is believed, or a page of the service in place of the document.
    """
    for name, service in _HEADERS.items():
        if name in headers and (status in _REFUSALS or headers[name].strip().lower() in ("challenge", "captcha")):
            return service
    start = body[:WORDS_WITHIN].lower()
    if status in _REFUSALS or b"<html" in start:
        for words, service in _WORDS.items():
            if words in start:
                return service
    if status == 403:
        return _SERVERS.get(headers.get("server", "").strip().lower())
    return None
