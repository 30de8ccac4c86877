"""Which version of the protocol two programs speak, and what to say where there is none.

Each end tells the other all versions that it speaks: the relay in CHALLENGE, the client in HELLO.
"""

from __future__ import annotations

from collections.abc import Sequence

from bifolio.errors import VersionsError
from bifolio.wire.messages import PROTOCOL_VERSIONS


def spoken_versions() -> tuple[int, ...]:
    """The versions that this program speaks."""
    return PROTOCOL_VERSIONS


def choose_version(offered: Sequence[int]) -> int:
    """The best version that this client and a relay speak.

    Raises:
        VersionsError: there is none; it says which of the two is to be upgraded.
    """
    common = set(offered).intersection(PROTOCOL_VERSIONS)
    if not common:
        raise VersionsError(offered, PROTOCOL_VERSIONS)
    return max(common)


def refuse_versions(spoken: Sequence[int]) -> str:
    """What a relay answers a client with which it has no version in common."""
    older = "this relay" if max(spoken, default=0) > max(PROTOCOL_VERSIONS) else "your Bifolio"
    return (
        f"this relay speaks version {_listed(PROTOCOL_VERSIONS)} of the protocol and your Bifolio "
        f"{_listed(spoken)}: upgrade {older}"
    )


def _listed(versions: Sequence[int]) -> str:
    return ", ".join(map(str, versions[:16])) or "none"
