"""The phases of a session: it is in one at a time, and each holds only what it needs.

    Greeting ─► Creating ─► Members ◄─► Log ◄─► Live        any of them ─► Left
        └────────────────────► ▲ ◄─────────────┘

A membership, a log or a file under way exists only where the relay holds the library, and an
end has one reason. What may be heard and said in each phase is the business of ``session``.
"""

from __future__ import annotations

from dataclasses import dataclass

from bifolio.errors import BifolioError
from bifolio.sync.files import FileSync
from bifolio.sync.log import LogSync
from bifolio.sync.membership import MembershipSync
from bifolio.sync.snapshots import SnapshotSync
from bifolio.wire.messages import Bye


@dataclass(frozen=True, slots=True)
class Exchange:
    """What is under way with a relay that holds the library: four machines, one for each."""

    membership: MembershipSync
    snapshots: SnapshotSync
    log: LogSync
    files: FileSync


@dataclass(frozen=True, slots=True)
class Greeting:
    """The relay's turn: CHALLENGE, and after our HELLO its WELCOME."""

    said_hello: bool = False
    nonce: bytes = b""


@dataclass(frozen=True, slots=True)
class Creating:
    """The relay does not hold the library; after our CREATE it welcomes us again.

    ``nonce`` is that of its challenge, by which we prove a token.
    """

    said_create: bool = False
    nonce: bytes = b""


@dataclass(frozen=True, slots=True)
class Members:
    """The two membership logs are made equal; nothing else is said meanwhile."""

    exchange: Exchange


@dataclass(frozen=True, slots=True)
class Log:
    """The relay's log is pulled to its end, maybe from a snapshot on; nothing is offered before."""

    exchange: Exchange


@dataclass(frozen=True, slots=True)
class Live:
    """All that the relay has is here, and it tells of what follows: changes go, then files."""

    exchange: Exchange


@dataclass(frozen=True, slots=True)
class Joined:
    """A ticket's holder became a member, and should come back as a device."""


@dataclass(frozen=True, slots=True)
class Left:
    """The session is over: by a join, by the relay's farewell, or because of an error."""

    why: Joined | Bye | BifolioError


Phase = Greeting | Creating | Members | Log | Live | Left
