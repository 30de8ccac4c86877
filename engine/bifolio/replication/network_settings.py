"""What the environment and the system say of the network: which proxy is on the way to a relay, and
whose certificates are trusted.

Proxies are named as for curl and others: ``https_proxy`` for wss, ``http_proxy`` for ws,
``all_proxy`` for both, ``no_proxy`` for the hosts that are reached without. Lower case comes first;
a scheme may be left out.
"""

from __future__ import annotations

import ipaddress
import os
import re
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from websockets.uri import WebSocketURI

from bifolio.errors import RelayProxyError

#: The variables that count for a scheme, in their order: as ``websockets`` has it (RFC 6455, 4.1),
#: and ``all_proxy`` last.
_VARIABLES = {
    True: ("wss_proxy", "socks_proxy", "https_proxy", "all_proxy"),
    False: ("ws_proxy", "socks_proxy", "http_proxy", "https_proxy", "all_proxy"),
}

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")

#: What others call a SOCKS proxy that looks up names itself.
_SCHEMES = {"socks": "socks5h"}
_KNOWN_SCHEMES = ("http", "https", "socks4", "socks4a", "socks5", "socks5h")


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy: its address with what it may need to know of the user, the variable that names it
    (or the system's settings), and how it is called in a message."""

    url: str
    source: str
    name: str


def find_proxy(relay: WebSocketURI, environment: Mapping[str, str] | None = None) -> Proxy | None:
    """The proxy by which a relay is reached; None where it is reached directly.

    Raises:
        RelayProxyError: it is named in a way that cannot be used.
    """
    environment = os.environ if environment is None else environment
    source, value = _setting(relay, environment)
    if not value or _is_bypassed(relay, environment):
        return None
    scheme = "" if _SCHEME.match(value) else ("socks5h://" if "socks" in source else "http://")
    shown = _without_user(scheme + value)
    try:
        parts = urlsplit(scheme + value)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise _unusable(relay, source, shown, "it is not an address") from error
    kind = _SCHEMES.get(parts.scheme.lower(), parts.scheme.lower())
    if kind not in _KNOWN_SCHEMES:
        raise _unusable(relay, source, shown, f"Bifolio knows no proxies of the kind '{kind}'")
    if not host or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise _unusable(relay, source, shown, "it is not an address")
    if kind.startswith("socks") and find_spec("python_socks") is None:
        raise RelayProxyError(
            _address(relay),
            proxy=shown,
            source=source,
            reason="SOCKS needs a part of Bifolio that is not installed",
            next_step="Install it with: pip install 'bifolio[socks]'",
        )
    port = port or (1080 if kind.startswith("socks") else 443 if kind == "https" else 80)
    bracketed = f"[{host}]" if ":" in host else host
    return Proxy(f"{kind}://{_user(parts)}{bracketed}:{port}", source, f"{bracketed}:{port}")


def missing_ca_file() -> bool:
    """Whether SSL_CERT_FILE names a file that is not there, which OpenSSL passes over."""
    named = os.environ.get("SSL_CERT_FILE", "")
    return bool(named) and not Path(named).is_file()


def _setting(relay: WebSocketURI, environment: Mapping[str, str]) -> tuple[str, str]:
    """The variable that counts, and what it says; of the system's settings where none is set."""
    given = {name.lower(): name for name in sorted(environment) if environment[name]}
    # In a CGI program HTTP_PROXY is what a stranger's request says: urllib leaves it out as well.
    if "REQUEST_METHOD" in environment and given.get("http_proxy") == "HTTP_PROXY":
        del given["http_proxy"]
    for variable in _VARIABLES[relay.secure]:
        name = variable if environment.get(variable) else given.get(variable)
        if name is not None:
            return name, environment[name].strip()
    if any(name.endswith("_proxy") for name in given):
        return "", ""
    proxies = urllib.request.getproxies()
    for variable in _VARIABLES[relay.secure]:
        kind = variable.removesuffix("_proxy")
        if kind in proxies:
            value = proxies[kind]
            if kind == "socks":
                value = value.removeprefix("http://")
            return "the system's settings" + (" (socks)" if kind == "socks" else ""), value
    return "", ""


def _is_bypassed(relay: WebSocketURI, environment: Mapping[str, str]) -> bool:
    """Whether ``no_proxy``, or the system, names the relay's host."""
    listed = environment.get("no_proxy") or environment.get("NO_PROXY")
    if listed is None:
        named = any(name.lower().endswith("_proxy") for name in environment)
        return not named and bool(urllib.request.proxy_bypass(relay.host))
    return any(_names(one.strip().lower(), relay) for one in re.split(r"[,\s]+", listed) if one)


def _names(entry: str, relay: WebSocketURI) -> bool:
    """Whether an entry of ``no_proxy`` is the relay's host, its domain, or its network."""
    if entry == "*":
        return True
    bare = entry.strip("[]")
    host = relay.host.lower()
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        address = None
    if address is not None:
        try:
            return address in ipaddress.ip_network(bare, strict=False)
        except (ValueError, TypeError):
            return entry in (f"{host}:{relay.port}", f"[{host}]:{relay.port}")
    name, _, port = entry.partition(":")
    if port and port != str(relay.port):
        return False
    name = name.removeprefix("*").strip(".")
    return bool(name) and (host == name or host.endswith(f".{name}"))


def _unusable(relay: WebSocketURI, source: str, shown: str, reason: str) -> RelayProxyError:
    return RelayProxyError(_address(relay), proxy=shown, source=source, reason=reason)


def _user(parts: SplitResult) -> str:
    if parts.username is None:
        return ""
    return f"{parts.username}:{parts.password or ''}@"


def _without_user(text: str) -> str:
    """An address as it may be shown: whoever may use the proxy is nobody's business."""
    before, separator, rest = text.partition("://")
    return before + separator + rest.rpartition("@")[2]


def _address(relay: WebSocketURI) -> str:
    host = f"[{relay.host}]" if ":" in relay.host else relay.host
    return f"{'wss' if relay.secure else 'ws'}://{host}:{relay.port}"
