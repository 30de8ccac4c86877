"""Errors about keys, tickets, membership and the relay."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bifolio.errors.base import BifolioError


class KeyFileError(BifolioError):
    """The key of this device cannot be read or written."""

    def __init__(self, path: Path, *, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(
            f"This computer's key at {path} cannot be used: {reason}.",
            next_step="Restore the file from a backup of your home folder. Without it, this "
            "computer needs a new ticket ('bifolio invite' on another one).",
        )


class TicketError(BifolioError):
    """A string that is no whole ticket."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"This is not a whole ticket: {reason}.",
            next_step="Copy the ticket again, all of it; it begins with 'bifolio:'. "
            "'bifolio invite' on the other computer prints a new one.",
        )


class NotAttachedError(BifolioError):
    """The library has no relay yet."""

    def __init__(self) -> None:
        super().__init__(
            "This library is not attached to a relay yet.",
            next_step="Run 'bifolio attach RELAY_URL' on the first computer, or "
            "'bifolio attach TICKET' with a ticket from another one.",
        )


class AlreadyAttachedError(BifolioError):
    """The library belongs to another shared library already."""

    def __init__(self, *, library_id: str, ticket_library_id: str) -> None:
        self.library_id = library_id
        self.ticket_library_id = ticket_library_id
        super().__init__(
            f"This library ({library_id[:8]}) is attached already and is not the ticket's "
            f"({ticket_library_id[:8]}). Nothing was changed.",
            next_step="Attach the ticket to a new path: bifolio attach TICKET PATH",
        )


class NotAMemberError(BifolioError):
    """This device may not read or write the library on the relay."""

    def __init__(self) -> None:
        super().__init__(
            "This computer is not a member of the library; your edits are kept here.",
            next_step="Ask for a ticket ('bifolio invite' on a computer that is attached) and "
            "run 'bifolio attach TICKET' here.",
        )


class NewerMembershipError(BifolioError):
    """The membership log holds a record that only a newer program knows."""

    def __init__(self, kinds: Sequence[str]) -> None:
        self.kinds = tuple(kinds)
        super().__init__(
            f"The members of this library were changed by a newer Bifolio ({', '.join(kinds)}).",
            next_step="Install the newest Bifolio on this computer, then run the command again.",
        )


class NotTheOwnerError(BifolioError):
    """What only the library's owner may do."""

    def __init__(self, act: str, *, owners: tuple[str, ...]) -> None:
        self.act = act
        self.owners = owners
        where = " or ".join(owners) or "the computer that made the library"
        super().__init__(
            f"Only the library's owner can {act}; this computer may edit it.",
            next_step=f"Run the command on {where}.",
        )


class RelayError(BifolioError):
    """The relay, or the way to it."""


class RelayUnreachableError(RelayError):
    """No connection to the relay at ``url``."""

    def __init__(self, url: str, *, reason: str) -> None:
        self.url = url
        self.reason = reason
        super().__init__(
            f"The relay at {url} cannot be reached: {reason}. Your edits are kept here.",
            next_step="Check the address and the network, and that the relay is running; then "
            "run 'bifolio sync'.",
        )


class RelayRefusedError(RelayError):
    """The relay understood and refused; ``code`` is its word for why."""

    def __init__(self, code: str, *, detail: str, next_step: str = "") -> None:
        self.code = code
        self.detail = detail
        super().__init__(
            f"The relay refused ({code}): {detail}. Your edits are kept here.",
            next_step=next_step or "Run 'bifolio status' to see what waits, then 'bifolio sync'.",
        )


class PortInUseError(RelayError):
    """The relay cannot listen where it was told to."""

    def __init__(self, *, host: str, port: int) -> None:
        self.host = host
        self.port = port
        super().__init__(
            f"Port {port} on {host} is in use by another program.",
            next_step="Choose another with --port N; --port 0 picks a free one.",
        )


class RelayStorageError(RelayError):
    """The relay's own file cannot be read or written."""

    def __init__(self, path: Path, *, reason: str, next_step: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(
            f"The relay's data at {path} cannot be used: {reason}.", next_step=next_step
        )
