"""Which IP addresses are on the public Internet and may be contacted. Pure.

Based on IANA's registries of special-purpose addresses (RFC 6890). For IPv6, only global unicast (2000::/3) is
allocated, so everything else is refused, whatever it may become. The standard library's `is_global` is not used: it
reflects the registries at the time of its release.
"""

import ipaddress
from collections.abc import Collection

from ingest.config.settings import Network

__all__ = ["is_in", "is_refused_address"]

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Not globally reachable, or reached at any nearby host (anycast of protocols in 192.0.0.0/24, 6to4 relays).
_REFUSED_IPV4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # "this network" (RFC 791)
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",  # private use (RFC 1918)
        "100.64.0.0/10",  # shared by customers of a provider (RFC 6598)
        "127.0.0.0/8",  # loopback (RFC 1122)
        "169.254.0.0/16",  # link-local (RFC 3927), where clouds keep their metadata
        "192.0.0.0/24",  # IETF protocols (RFC 6890), the dummy address 192.0.0.8 (RFC 7600) among them
        "192.0.2.0/24",
        "198.51.100.0/24",
        "203.0.113.0/24",  # documentation (RFC 5737)
        "192.88.99.0/24",  # relays of 6to4, deprecated (RFC 7526)
        "198.18.0.0/15",  # benchmarks (RFC 2544)
        "224.0.0.0/4",  # multicast (RFC 5771)
        "240.0.0.0/4",  # reserved, and broadcast (RFC 1112, RFC 919)
    )
)
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")  # RFC 4291, 2.4
_REFUSED_IPV6 = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # IETF protocols (RFC 2928): Teredo, benchmarks, ORCHID and others
        "2001:db8::/32",
        "3fff::/20",  # documentation (RFC 3849, RFC 9637)
    )
)
# Addresses that embed the IPv4 address to which packets are delivered: mapped (RFC 4291, 2.5.5.2), 6to4 (RFC 3056),
# and the well-known prefix of NAT64 (RFC 6052, 2.1). The number is how many bits follow the IPv4 address. Other
# embeddings are always refused, because they are not global unicast or are within 2001::/23: compatible (RFC 4291,
# 2.5.5.1), translated by SIIT (::ffff:0:0:0/96, RFC 2765), local NAT64 (64:ff9b:1::/48, RFC 8215), Teredo (RFC 4380).
_CARRIERS = (
    (ipaddress.IPv6Network("::ffff:0:0/96"), 0),
    (ipaddress.IPv6Network("2002::/16"), 80),
    (ipaddress.IPv6Network("64:ff9b::/96"), 0),
)


def is_refused_address(address: str, allowed: Collection[Network] = ()) -> bool:
    """Return whether requests to the IP `address` are refused: it is not globally reachable and not in `allowed`.

    An IPv6 address that embeds an IPv4 address is judged by the latter, or refused. Raises ValueError if `address` is
    not an IP address.
    """
    ip = _where_it_leads(ipaddress.ip_address(address.partition("%")[0]))
    if is_in(ip, allowed):
        return False
    if isinstance(ip, ipaddress.IPv4Address):
        return is_in(ip, _REFUSED_IPV4)
    return ip not in _GLOBAL_UNICAST or is_in(ip, _REFUSED_IPV6)


def is_in(ip: Address, networks: Collection[Network]) -> bool:
    """Return whether `ip` is in one of `networks`. Networks of the other IP version do not count."""
    return any(ip in network for network in networks if network.version == ip.version)


def _where_it_leads(ip: Address) -> Address:
    if isinstance(ip, ipaddress.IPv6Address):
        for network, behind in _CARRIERS:
            if ip in network:
                return ipaddress.IPv4Address((int(ip) >> behind) & 0xFFFFFFFF)
    return ip
