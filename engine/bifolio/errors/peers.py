"""Errors about what another computer sent: never this user's fault."""

from __future__ import annotations

from collections.abc import Sequence

from bifolio.errors.base import BifolioError
from bifolio.errors.next_steps import Next, NextStep


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


class VersionsError(ProtocolError):
    """The relay and this program speak no version of the protocol in common."""

    code = "versions"

    def __init__(self, relay: Sequence[int], own: Sequence[int]) -> None:
        self.relay_versions = tuple(relay)
        self.own_versions = tuple(own)
        self.relay_is_older = max(relay, default=0) < max(own)
        theirs = ", ".join(map(str, relay)) or "none"
        older = "The relay" if self.relay_is_older else "This Bifolio"
        super().__init__(f"it speaks version {theirs}, this Bifolio {', '.join(map(str, own))}")
        self.message = (
            f"{older} is too old for the other: the relay speaks version {theirs} of the protocol, "
            f"and this Bifolio {', '.join(map(str, own))}."
        )
        self.next_step = NextStep(Next.UPGRADE_RELAY if self.relay_is_older else Next.UPGRADE)


class EnvelopeError(PeerError):
    """An envelope that is damaged, forged or not permitted."""

    code = "envelope"

    def __init__(self, reason: str, *, next_step: Next = Next.TELL_RELAY_OPERATOR) -> None:
        self.reason = reason
        super().__init__(
            f"A received change was refused: {reason}. Nothing of it was used.",
            next_step=next_step,
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

    def __init__(
        self, reason: str, *, message: str = "", next_step: Next = Next.ASK_FOR_TICKET
    ) -> None:
        self.reason = reason
        super().__init__(
            message
            or f"A change of the library's members was refused: {reason}. Nothing of it was used.",
            next_step=next_step,
        )


class OldMembershipError(MembershipError):
    """The library's list of members was made by an earlier Bifolio, and is not read any more."""

    code = "old-membership"

    def __init__(self) -> None:
        super().__init__(
            "it was made by an earlier Bifolio, and this one does not read it",
            message="The list of this library's members was made by an earlier Bifolio, and this "
            "one does not read it: the library can be used here, and not synced.",
            next_step=Next.JOIN_NEW_LIBRARY,
        )


class WrongKeyError(MembershipError):
    """A content key that is not the one that the library's list of members promises."""

    code = "wrong-key"

    def __init__(self, generation: int, *, giver: bytes) -> None:
        self.generation = generation
        self.giver = giver
        super().__init__(
            f"the key that its owner {giver.hex()[:8]} gave is not the library's",
            message=f"The owner with the key {giver.hex()[:8]} gave this computer another key "
            f"(number {generation}) than the one that the library's list of members promises. "
            "It was not used.",
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
