"""Which addresses requests may go to, by the registries of IANA."""

import ipaddress

import pytest

from ingest.web.addresses import is_refused_address

# What an IPv4 address that is refused is called by IPv6 addresses that carry it.
CARRIED = ("::ffff:{}", "64:ff9b::{}", "::{}", "::ffff:0:{}", "64:ff9b:1::{}")
REFUSED_IPV4 = [
    "0.0.0.0", "0.1.2.3", "10.1.2.3", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.255",
    "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.8", "192.0.0.9", "192.0.0.170",
    "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1",
    "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
]  # fmt: skip
REFUSED_IPV6 = [
    "::", "::1", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fd12::1", "ff02::1", "ff0e::1",
    "100::1", "100:0:0:1::1", "5f00::1", "64:ff9b:1::a00:1", "64:ff9b:2::1", "400::1", "1fff::1", "4000::1", "8000::1",
    "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:1::1", "2001:2::1", "2001:10::1", "2001:20::1",
    "2001:1ff::1", "2001:db8::1", "3fff::1", "3fff:fff::1",
    "::8.8.8.8", "::ffff:0:8.8.8.8", "::ffff:0:127.0.0.1", "::fffe:127.0.0.1",
]  # fmt: skip
PUBLIC = [
    "8.8.8.8", "1.1.1.1", "9.255.255.255", "11.0.0.1", "100.63.255.255", "100.128.0.1", "128.0.0.1", "169.253.1.1",
    "172.15.255.255", "172.32.0.1", "191.255.255.255", "192.0.1.1", "192.0.3.1", "192.88.98.1", "192.88.100.1",
    "198.17.255.255", "198.20.0.1", "223.255.255.255",
    "2606:4700::1111", "2001:200::1", "2001:4860:4860::8888", "2001:db7::1", "2001:db9::1", "2a00:1450::1", "3ffe::1",
    "64:ff9b::8.8.8.8", "::ffff:8.8.8.8", "2002:808:808::1",
]  # fmt: skip


@pytest.mark.parametrize("address", [*REFUSED_IPV4, *REFUSED_IPV6])
def test_special_addresses_are_refused(address: str) -> None:
    assert is_refused_address(address)


@pytest.mark.parametrize("address", REFUSED_IPV4)
def test_so_are_those_that_carry_them(address: str) -> None:
    carriers = [form.format(address) for form in CARRIED]
    carriers.append(str(ipaddress.IPv6Address((0x2002 << 112) | (int(ipaddress.IPv4Address(address)) << 80) | 1)))
    # Teredo holds the bits of the client's address turned over (RFC 4380, 4).
    client = int(ipaddress.IPv4Address(address)) ^ 0xFFFFFFFF
    carriers.append(str(ipaddress.IPv6Address((0x20010000 << 96) | (0x08080808 << 64) | client)))
    assert [carrier for carrier in carriers if not is_refused_address(carrier)] == []


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_not(address: str) -> None:
    assert not is_refused_address(address)


def test_of_ipv6_only_global_unicast_is_ever_let_through() -> None:
    outside = [f"{first:x}::1" for first in range(0, 0x10000, 0x100) if not 0x2000 <= first < 0x4000]
    assert [address for address in outside if not is_refused_address(address)] == []


def test_networks_can_be_allowed() -> None:
    allowed = [ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("fd00::/8")]
    assert not is_refused_address("127.0.0.1", allowed)
    assert not is_refused_address("::ffff:127.0.0.1", allowed)
    assert not is_refused_address("fd12::1", allowed)
    for other in ("10.0.0.1", "fc00::1", "::127.0.0.1", "::1"):
        assert is_refused_address(other, allowed)
