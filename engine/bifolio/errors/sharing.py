"""Errors about keys, tickets, membership and the relay."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bifolio.errors.base import BifolioError, shortened
from bifolio.errors.next_steps import Next, NextStep, next_step


class KeyFileError(BifolioError):
    """The key of this device cannot be read or written."""

    code = "key-file"

    def __init__(self, path: Path, *, reason: str, next_step: Next = Next.RESTORE_KEY_FILE) -> None:
        self.path = path
        self.reason = reason
        super().__init__(
            f"This computer's key at {path} cannot be used: {reason}.", next_step=next_step
        )


class TicketError(BifolioError):
    """A string that is no ticket, no whole one, or one that only a newer Bifolio can read."""

    code = "invalid-ticket"

    def __init__(self, reason: str, *, next_step: Next = Next.COPY_TICKET_AGAIN) -> None:
        self.reason = reason
        super().__init__(f"This ticket cannot be used: {reason}.", next_step=next_step)

    @property
    def is_of_newer_version(self) -> bool:
        """Whether it is a ticket, and only a newer Bifolio can read it."""
        return self.next_step == NextStep(Next.UPGRADE)


class LockedTicketError(TicketError):
    """A whole ticket that has a passphrase, and none was given, or ``is_wrong`` another one."""

    code = "locked-ticket"

    def __init__(self, *, is_wrong: bool = False) -> None:
        self.is_wrong = is_wrong
        reason = "this is not its passphrase" if is_wrong else "it has a passphrase"
        super().__init__(reason, next_step=Next.GIVE_PASSPHRASE)


class RecoveryCodeError(BifolioError):
    """A text that is no recovery code, or not all of one, or a code that is not good here; the
    message repeats nothing of it."""

    code = "invalid-recovery-code"

    def __init__(self, reason: str, *, next_step: Next = Next.TYPE_RECOVERY_CODE_AGAIN) -> None:
        self.reason = reason
        super().__init__(f"This recovery code cannot be used: {reason}.", next_step=next_step)


class NotAttachedError(BifolioError):
    """The library has no relay yet, or this computer was detached from it.

    Args:
        known: where the library is by its members' list, if that says so.
    """

    code = "not-attached"

    def __init__(self, known: str = "") -> None:
        self.known = known
        if known:
            super().__init__(
                f"This computer is not attached to the library's relay, {known}.",
                next_step=next_step(Next.ATTACH_TO_KNOWN, url=known),
            )
            return
        super().__init__(
            "This library is not attached to a relay yet.", next_step=Next.ATTACH_FIRST
        )


class AlreadyAttachedError(BifolioError):
    """The library belongs to another shared library already."""

    code = "already-attached"

    def __init__(self, *, library_id: str, ticket_library_id: str) -> None:
        self.library_id = library_id
        self.ticket_library_id = ticket_library_id
        super().__init__(
            f"This library ({library_id[:8]}) is attached already, and the ticket is for another "
            f"one ({ticket_library_id[:8]}). Nothing was changed.",
            next_step=Next.ATTACH_NEW_PATH,
        )


class NotAMemberError(BifolioError):
    """This device may not read or write the library on the relay."""

    code = "not-a-member"

    def __init__(self, *, relay_says: bool = False) -> None:
        said = "The relay says that this computer" if relay_says else "This computer"
        super().__init__(
            f"{said} is not a member of the library. Your edits are kept here.",
            next_step=Next.ASK_FOR_TICKET,
        )


class RemovedError(NotAMemberError):
    """An owner removed this device from the library; ``by`` is the name of the owner's computer."""

    code = "removed"

    def __init__(self, *, by: str) -> None:
        self.by = by
        super().__init__()
        self.message = (
            f"{by} removed this computer from the library. What is here can still be read, and "
            "edits that were not sent are kept here."
        )
        self.args = (self.message,)
        self.next_step = NextStep(Next.EXPORT_DRAFT)


class KeysReplacedError(NotAMemberError):
    """This device's keys were replaced by others, which are not here."""

    code = "keys-replaced"

    def __init__(self) -> None:
        super().__init__()
        self.message = (
            "This computer's keys were replaced by new ones, which it does not have yet. Your "
            "edits are kept here."
        )
        self.args = (self.message,)
        self.next_step = NextStep(Next.ROTATE_AGAIN)


class ReaderError(BifolioError):
    """A change to a library that this device may only read."""

    code = "read-only-member"

    def __init__(self) -> None:
        super().__init__(
            "This computer may only read this library. Nothing was changed.",
            next_step=Next.COPY_TO_OWN_LIBRARY,
        )


class MemberNotFoundError(BifolioError):
    """No member, or no ticket, is called so."""

    code = "member-not-found"

    def __init__(self, name: str, *, names: tuple[str, ...], of: str = "member") -> None:
        self.name = name
        self.names = names
        super().__init__(
            f"There is no {of} '{shortened(name)}' in this library.",
            next_step=Next.LIST_INVITES if of == "ticket" else Next.LIST_MEMBERS,
        )


class AmbiguousMemberError(BifolioError):
    """Several members, or several tickets, are called so."""

    code = "ambiguous-member"

    def __init__(
        self,
        name: str,
        *,
        ids: tuple[str, ...],
        of: str = "members",
        next_step: Next | str = Next.LIST_MEMBERS,
    ) -> None:
        self.name = name
        self.ids = ids
        super().__init__(
            f"'{shortened(name)}' can be several {of}: {', '.join(ids)}.", next_step=next_step
        )


class MemberNameTakenError(BifolioError):
    """Another member's computer is called so: two of one name could not be told apart."""

    code = "member-name-taken"

    def __init__(self, name: str, *, id: str) -> None:
        self.name = name
        self.id = id
        super().__init__(
            f"Another member's computer is called '{name}' already ({id}). Nothing was changed.",
            next_step=Next.CHOOSE_OTHER_NAME,
        )


class LastOwnerError(BifolioError):
    """The last owner of a library would be none any more."""

    code = "last-owner"

    def __init__(self, act: str) -> None:
        self.act = act
        super().__init__(
            f"This is the only computer that owns the library, so it cannot {act}: nobody could "
            "invite or remove members any more. Nothing was changed.",
            next_step=Next.MAKE_ANOTHER_OWNER,
        )


class DraftError(BifolioError):
    """A file of edits that another computer may not send itself, at ``path``; one that was to be
    made where ``is_new``."""

    code = "draft"

    def __init__(
        self,
        path: Path,
        *,
        reason: str,
        is_new: bool = False,
        next_step: NextStep | Next = Next.CHOOSE_DRAFT,
    ) -> None:
        self.path = path
        self.reason = reason
        verb = "written" if is_new else "used"
        why = reason[:1].lower() + reason[1:]  # the system begins a sentence
        super().__init__(f"The draft {path} cannot be {verb}: {why}.", next_step=next_step)


class NothingToSendError(BifolioError):
    """No edit of this computer is kept back."""

    code = "no-draft"

    def __init__(self) -> None:
        super().__init__(
            "No edit of this computer is kept back: there is no draft to write.",
            next_step=Next.SEE_STATUS,
        )


class NewerMembershipError(BifolioError):
    """The membership log holds a record that only a newer program knows."""

    code = "newer-membership"

    def __init__(self, kinds: Sequence[str]) -> None:
        self.kinds = tuple(kinds)
        super().__init__(
            f"The members of this library were changed with a newer Bifolio ({', '.join(kinds)}).",
            next_step=Next.UPGRADE,
        )


class NotTheOwnerError(BifolioError):
    """What only the library's owner may do."""

    code = "not-the-owner"

    def __init__(self, act: str, *, owners: tuple[str, ...], may_write: bool = True) -> None:
        self.act = act
        self.owners = owners
        may = "edit" if may_write else "only read"
        super().__init__(
            f"Only the library's owner can {act}; this computer may {may} the library.",
            next_step=next_step(Next.ASK_OWNER, owners=owners),
        )


class RelayError(BifolioError):
    """The relay, or the way to it."""

    code = "relay"


class RelayUnreachableError(RelayError):
    """No connection to the relay at ``url``."""

    code = "relay-unreachable"

    def __init__(
        self, url: str, *, reason: str, next_step: NextStep | Next | str | None = None
    ) -> None:
        self.url = url
        self.reason = reason
        super().__init__(
            f"The relay at {url} cannot be reached: {reason}. Your edits are kept here.",
            next_step=next_step or Next.CHECK_CONNECTION,
        )


class RelayUntrustedError(RelayUnreachableError):
    """The relay at ``url`` has a certificate that this computer does not trust."""

    code = "relay-untrusted"

    def __init__(
        self, url: str, *, reason: str, next_step: NextStep | Next | str | None = None
    ) -> None:
        super().__init__(url, reason=reason, next_step=next_step or Next.TRUST_CERTIFICATE)


class RelayAnswerError(RelayUnreachableError):
    """What answers at ``url`` is no relay, or none now; ``status`` is that of HTTP, 0 for none."""

    code = "relay-answer"

    def __init__(
        self, url: str, status: int = 0, *, reason: str, next_step: NextStep | Next | str
    ) -> None:
        self.status = status
        super().__init__(url, reason=reason, next_step=next_step)


class RelayProxyError(RelayUnreachableError):
    """The proxy between this computer and the relay at ``url`` does not let it through.

    ``proxy`` is its host and port, ``source`` the variable of the environment that names it.
    """

    code = "relay-proxy"

    def __init__(
        self,
        url: str,
        *,
        proxy: str,
        source: str,
        reason: str,
        next_step: NextStep | Next | str | None = None,
    ) -> None:
        self.proxy = proxy
        self.source = source
        super().__init__(
            url,
            reason=reason,
            next_step=next_step
            or f"Correct the proxy in {source}, or add the relay's host to no_proxy if it can be "
            "reached without; then try again.",
        )
        self.message = (
            f"The proxy {proxy} (of {source}) cannot be used: {reason}. The relay at {url} was not "
            "reached. Your edits are kept here."
        )
        self.args = (self.message,)


class RelayRedirectError(RelayUnreachableError):
    """The relay at ``url`` redirects to another host; nothing was sent there.

    ``host`` and ``target`` are the two, with ports (``relay.example:8787``).
    """

    code = "relay-redirect"

    def __init__(self, url: str, *, host: str, target: str) -> None:
        super().__init__(url, reason=f"{host} redirects to {target}, which is not followed")
        self.host = host
        self.target = target
        self.next_step = NextStep(Next.ATTACH_AT_NEW_ADDRESS)


class RelayRefusedError(RelayError):
    """The relay understood and refused; ``refusal`` is its word for why."""

    code = "relay-refused"

    def __init__(
        self,
        refusal: str,
        *,
        detail: str,
        next_step: NextStep | Next | str = Next.SEE_STATUS_THEN_SYNC,
    ) -> None:
        self.refusal = refusal
        self.detail = detail
        super().__init__(
            f"The relay refused ({refusal}): {detail}. Your edits are kept here.",
            next_step=next_step,
        )


class LibraryDeletedError(RelayRefusedError):
    """An owner deleted the library on the relay; nothing of what is here is touched."""

    code = "library-deleted"

    def __init__(self, refusal: str, *, detail: str) -> None:
        super().__init__(refusal, detail=detail, next_step=Next.ATTACH_AGAIN_OR_DETACH)
        self.message = (
            f"The relay does not hold the library any more: {detail}. Everything is kept here."
        )
        self.args = (self.message,)


class TicketEndedError(RelayRefusedError):
    """The relay lets nobody in with this ticket any more: its time is over."""

    code = "ticket-ended"

    def __init__(self, refusal: str, *, detail: str) -> None:
        super().__init__(refusal, detail=detail, next_step=Next.ASK_FOR_TICKET)
        self.message = f"This ticket cannot be used any more: {detail}. Your edits are kept here."
        self.args = (self.message,)


class RelayTokenError(RelayError):
    """A string that is no token of a relay; the message does not quote it."""

    code = "relay-token"

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"This is not a relay's token: {reason}.", next_step=Next.COPY_RELAY_TOKEN_AGAIN
        )


class PortInUseError(RelayError):
    """The relay cannot listen where it was told to."""

    code = "port-in-use"

    def __init__(self, *, host: str, port: int) -> None:
        self.host = host
        self.port = port
        super().__init__(
            f"Port {port} on {host} is in use by another program.", next_step=Next.CHOOSE_PORT
        )


class RelayStorageError(RelayError):
    """The relay's own file cannot be read or written."""

    code = "relay-storage"

    def __init__(self, path: Path, *, reason: str, next_step: NextStep | Next | str | None) -> None:
        self.path = path
        self.reason = reason
        super().__init__(
            f"The relay's data at {path} cannot be used: {reason}.", next_step=next_step
        )


class RelayDamagedError(RelayStorageError):
    """The relay's own copy of a library, or its whole file, is damaged: it can mend itself.

    ``library`` is the library's id; None of the whole file.
    """

    code = "relay-damaged"

    def __init__(self, path: Path, *, reason: str, library: bytes | None = None) -> None:
        self.library = library
        super().__init__(path, reason=reason, next_step=Next.MOVE_RELAY_DATA)


class RelayFullError(RelayStorageError):
    """The relay's disk has no room for what it was to write."""

    code = "relay-full"

    def __init__(self, path: Path) -> None:
        super().__init__(path, reason="the disk is full", next_step=Next.CHECK_RELAY_DISK)
