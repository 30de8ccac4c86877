"""Errors about what another computer sent: never this user's fault."""

from __future__ import annotations

from bifolio.errors.base import BifolioError


class PeerError(BifolioError):
    """What came from another computer is wrong: never this user's fault."""


class ProtocolError(PeerError):
    """Bytes that are no message of the protocol, or a message out of turn."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"The other side does not speak Bifolio's protocol: {reason}.",
            next_step="Check that the address is that of a Bifolio relay, and that both are of "
            "the same version.",
        )


class EnvelopeError(PeerError):
    """An envelope that is damaged, forged or not permitted."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"An envelope was refused: {reason}.",
            next_step="Nothing of it was taken over. If it comes again, tell who runs the relay.",
        )


class NewerFormatError(EnvelopeError):
    """An envelope that is in order, and that only a newer Bifolio can read."""

    def __init__(self, needs: str) -> None:
        self.needs = needs
        super().__init__(f"a newer Bifolio made it ({needs})")


class MembershipError(PeerError):
    """A membership record that breaks the rules of the library."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"A membership record was refused: {reason}.",
            next_step="Nothing of it was taken over. Ask the library's owner for a new ticket.",
        )


class DocumentError(PeerError):
    """An update or a state that cannot be read as a document."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"A record could not be read: {reason}.",
            next_step="It was set aside; the other records are not touched by it.",
        )
