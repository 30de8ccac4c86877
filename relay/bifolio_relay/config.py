"""What a relay is told when it starts: its options, their bounds, and what they are unless given.

The options are declared here once, for ``bifolio relay`` and ``bifolio-relay``. With the command
line, the only place that reads the environment. May import only ``errors`` and ``limits``.
"""

from __future__ import annotations

import ipaddress
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from bifolio import limits
from bifolio.errors import Next, UsageError


@dataclass(frozen=True, slots=True)
class Option:
    """An option of a relay's command line, which all commands that start one offer alike."""

    flag: str
    metavar: str
    help: str


HOST = Option("--host", "HOST", "The address to listen on.")
PORT = Option("--port", "PORT", "The port to listen on; 0 picks a free one.")
DATA = Option("--data", "DIR", "The folder of the relay's data (default: relay in BIFOLIO_HOME).")
QUOTA = Option(
    "--quota",
    "SIZE",
    "The most that the files of one library may take, such as 500M or 20G (default 100G).",
)
SHARED = Option(
    "--shared",
    "",
    "Let several relays on this computer use the same folder; start each with this option.",
)
REQUIRE_TOKEN = Option(
    "--require-token",
    "",
    "Take new libraries only with a token ('bifolio relay token create' makes one).",
)
PROCESSES = Option(
    "--processes",
    "N",
    "How many processes serve, each a part of the libraries; for a computer with several cores "
    "(Linux only).",
)
UNUSED_DAYS = Option(
    "--unused-days",
    "N",
    "Remove a library that came without a token, holds nothing and was not used for N days; "
    "0 keeps all.",
)
TRUSTED_PROXY = Option(
    "--trusted-proxy",
    "ADDRESS",
    "The address or network of a proxy in front, whose X-Forwarded-For says who is connected; "
    "without it everybody behind a proxy counts as one.",
)

NAME = Option(
    "--name",
    "NAME",
    "The name by which computers call this relay, such as relay.example or relay.example:8787; "
    "several are separated by commas. A greeting made for another relay is then refused.",
)

#: A host's name, or an address, one of IPv6 in brackets; with a port or without.
_NAME = re.compile(
    r"(?:(?:wss?|https?)://)?"
    r"(?P<host>[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])"
    r"(?::(?P<port>[0-9]{1,5}))?/?",
    re.IGNORECASE,
)

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class Config:
    """Where a relay listens and keeps its data; ``shared`` if other relays keep theirs there too.

    Raises:
        UsageError: a value is out of its bounds.
    """

    data: Path
    host: str = "127.0.0.1"
    port: int = 8787
    shared: bool = False
    connections_max: int = limits.RELAY_CONNECTIONS_MAX
    libraries_max: int = limits.RELAY_LIBRARIES_MAX
    library_bytes_max: int = limits.RELAY_LIBRARY_BYTES_MAX
    file_bytes_max: int = limits.RELAY_FILE_BYTES_MAX
    require_token: bool = False
    unused_days: int = limits.RELAY_UNUSED_DAYS
    trusted_proxies: Network | None = None
    #: The hosts and ports by which clients call this relay; any, where none is given.
    names: frozenset[str] = frozenset()
    #: How many processes serve, each a part of the libraries.
    processes: int = 1

    def __post_init__(self) -> None:
        _check_range("port", self.port, least=0, most=65535)
        _check_range(
            "the number of connections",
            self.connections_max,
            least=1,
            most=limits.RELAY_CONNECTIONS_MAX,
        )
        _check_range(
            "the number of libraries",
            self.libraries_max,
            least=1,
            most=limits.RELAY_LIBRARIES_MAX,
        )
        _check_range(
            "the bytes of a library",
            self.library_bytes_max,
            least=1,
            most=limits.RELAY_LIBRARY_BYTES_MAX,
        )
        _check_range(
            "quota", self.file_bytes_max, least=0, most=limits.RELAY_LIBRARY_BYTES_MAX * 1024
        )
        _check_range(
            "number of processes", self.processes, least=1, most=limits.RELAY_PROCESSES_MAX
        )
        if self.processes > 1 and sys.platform != "linux":
            raise UsageError(
                "Several processes of one relay need Linux, which hands connections from one to "
                "another.",
                next_step="Start it without --processes.",
            )
        _check_range("days", self.unused_days, least=0, most=36_500)
        if not self.host:
            raise UsageError("The address to listen on is empty.", next_step=Next.GIVE_RELAY_HOST)


def make_config(
    environment: Mapping[str, str],
    *,
    host: str,
    port: int,
    data: Path | None,
    quota: str,
    shared: bool,
    require_token: bool = False,
    unused_days: int = limits.RELAY_UNUSED_DAYS,
    trusted_proxy: str = "",
    name: str = "",
    processes: int = 1,
) -> Config:
    """What the options say, each as it was given.

    Raises:
        UsageError: a value is out of its bounds.
    """
    return Config(
        data=data or default_data_folder(environment),
        host=host,
        port=port,
        shared=shared,
        require_token=require_token,
        unused_days=unused_days,
        trusted_proxies=parse_network(trusted_proxy) if trusted_proxy else None,
        file_bytes_max=parse_size(quota) if quota else Config.file_bytes_max,
        names=parse_names(name, port) if name else frozenset(),
        processes=processes,
    )


def parse_size(text: str) -> int:
    """Bytes, from a number with or without a unit: ``500M``, ``20G``, ``1T`` (of 1024).

    Raises:
        UsageError: it is no size.
    """
    found = re.fullmatch(r"([0-9]{1,15})([KMGT]?)i?B?", text.strip(), re.IGNORECASE)
    if found is None:
        raise UsageError(
            f"The quota takes a size such as 500M or 20G, not '{text}'.",
            next_step=Next.GIVE_SIZE,
        )
    number, unit = found.groups()
    return int(number) << 10 * " KMGT".index(unit.upper() or " ")


def parse_network(text: str) -> Network:
    """An address or a network of a proxy.

    Raises:
        UsageError: it is neither.
    """
    try:
        return ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        raise UsageError(
            f"'{text}' is neither an address nor a network.",
            next_step="Give one such as 127.0.0.1 or 10.0.0.0/8 with --trusted-proxy.",
        ) from None


def parse_names(text: str, port: int) -> frozenset[str]:
    """Hosts with ports, as clients name the relay that they call (``greeting.relay_name``).

    A name without a port is called at the ports of web servers, and at the relay's own.

    Raises:
        UsageError: one is no name.
    """
    names: set[str] = set()
    for given in text.split(","):
        found = _NAME.fullmatch(given.strip())
        if found is None or int(found["port"] or 1) > 65535:
            raise UsageError(
                f"'{given.strip()}' is no name of a relay.",
                next_step="Give one such as relay.example or relay.example:8787 with --name.",
            )
        host = found["host"].rstrip(".").lower()
        ports = {int(found["port"])} if found["port"] else {443, 80, port}
        names.update(f"{host}:{one}" for one in ports)
    return frozenset(names)


def default_data_folder(environment: Mapping[str, str]) -> Path:
    """``BIFOLIO_HOME/relay`` if that is set, otherwise a folder where the platform keeps data."""
    home = environment.get("BIFOLIO_HOME")
    if home:
        return Path(home) / "relay"
    return platformdirs.user_data_path("bifolio") / "relay"


def _check_range(name: str, value: int, *, least: int, most: int) -> None:
    if not least <= value <= most:
        raise UsageError(
            f"The {name} takes a number from {least} to {most}, not {value}.",
            next_step="Give a number in that range.",
        )
