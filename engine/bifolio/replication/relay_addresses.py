"""What a relay's address says of where it leads, before anybody goes there. Pure."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit


def is_local_address(relay: str) -> bool:
    """Whether a relay's address names the computer itself, so that no other one finds it."""
    host = _host(relay)
    if host == "localhost" or host.endswith(".localhost"):
        return True
    number = _number(host)
    return number is not None and (number.is_loopback or number.is_unspecified)


def is_public_enough(relay: str) -> bool:
    """Whether other computers can be sent there: by a name, or by a number that is no group of
    computers and no neighbour on the same cable."""
    host = _host(relay)
    number = _number(host)
    if number is None:
        return bool(host)
    return not (number.is_link_local or number.is_multicast or number.is_reserved)


def _host(relay: str) -> str:
    try:
        return (urlsplit(relay).hostname or "").rstrip(".").lower()
    except ValueError:
        return ""


def _number(host: str) -> IPv4Address | IPv6Address | None:
    try:
        number = ip_address(host)
    except ValueError:
        return None
    return getattr(number, "ipv4_mapped", None) or number
