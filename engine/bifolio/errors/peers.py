"""Errors about what another computer sent: never this user's fault."""

from __future__ import annotations

from bifolio.errors.base import BifolioError
from bifolio.errors.next_steps import Next


class PeerError(BifolioError):
    """What came from another computer is wrong: never this user's fault."""

    code = "peer"


class ProtocolError(PeerError):
    """Bytes that are no message of the protocol, or a message out of turn."""

    code = "protocol"

    _message = "The other side does not speak Bifolio's protocol: {reason}."
    _next = Next.CHECK_VERSIONS

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(self._message.format(reason=reason), next_step=self._next)


class RelayConductError(ProtocolError):
    """Each message is one of the protocol, and together they are not what a relay may say."""

    code = "relay-conduct"

    _message = (
        "The relay does not do what a relay should: {reason}. What is on this computer stays as "
        "it is."
    )
    _next = Next.TELL_RELAY_OPERATOR


class EnvelopeError(PeerError):
    """An envelope that is damaged, forged or not permitted."""

    code = "envelope"

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"A received change was refused: {reason}. Nothing of it was used.",
            next_step=Next.TELL_RELAY_OPERATOR,
        )


class NewerFormatError(EnvelopeError):
    """An envelope that is in order, and that only a newer Bifolio can read."""

    code = "newer-format"

    def __init__(self, needs: str) -> None:
        self.needs = needs
        super().__init__(f"a newer Bifolio made it ({needs})")


class MembershipError(PeerError):
    """A membership record that breaks the rules of the library."""

    code = "membership"

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"A change of the library's members was refused: {reason}. Nothing of it was used.",
            next_step=Next.ASK_FOR_TICKET,
        )


class DocumentError(PeerError):
    """An update or a state that cannot be read as a document."""

    code = "document"

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"A part of the library cannot be read: {reason}.",
            next_step=Next.KEEP_AND_REPORT,
        )


class IncompleteUpdateError(DocumentError):
    """An update that builds on a part of its record that is not there.

    ``needs`` is the client id and the clock of such a part: while that is not there, the update
    cannot be merged.
    """

    code = "incomplete-update"

    def __init__(self, reason: str, *, needs: tuple[int, int]) -> None:
        self.needs = needs
        super().__init__(reason)
