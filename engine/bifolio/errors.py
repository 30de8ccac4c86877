"""Every error that Bifolio raises on purpose.

The tree::

    BifolioError                    something could not be done; exit code 1
    ├── UsageError                  the call itself is wrong; exit code 2
    │   ├── UnknownFieldError
    │   └── InvalidValueError
    ├── LibraryError                the folder or file of a replica
    │   ├── NotALibraryError
    │   ├── PathTakenError
    │   ├── NewerLibraryError
    │   ├── DamagedLibraryError
    │   ├── ReadOnlyLibraryError
    │   ├── BusyLibraryError
    │   └── StorageFullError
    ├── ReferenceNotFoundError
    ├── AmbiguousReferenceError
    ├── ConflictChoiceError
    ├── NothingToRemoveError
    ├── TrashedReferenceError
    ├── GroupNotFoundError
    ├── AmbiguousGroupError
    ├── GroupPlaceError
    ├── SmartGroupError
    ├── TagNotFoundError
    ├── RecordTooLargeError
    ├── FileFormatError             a file that cannot be imported at all
    ├── KeyFileError                the device's own key
    ├── TicketError
    ├── NotAttachedError
    ├── AlreadyAttachedError
    ├── NotAMemberError
    ├── NotTheOwnerError
    ├── RelayError                  the relay, or the way to it
    │   ├── RelayUnreachableError
    │   ├── RelayRefusedError       the relay answered: no
    │   ├── PortInUseError
    │   └── RelayStorageError       the relay's own file
    ├── OutOfTurnError              our own side spoke out of turn: a bug of ours
    └── PeerError                   what another computer sent is wrong: the peer's fault
        ├── ProtocolError           bytes that are no message, or a message out of turn
        ├── EnvelopeError           damaged, forged or not permitted
        ├── DocumentError           an update or a state that is no document
        └── MembershipError         a membership record that breaks the rules

Each class carries its facts as attributes and makes its own text: what was expected, what
came, and in ``next_step`` what the user can do. May not import anything else of Bifolio.
"""

from __future__ import annotations

from pathlib import Path


class BifolioError(Exception):
    """Base of all: ``str(error)`` is one plain sentence, ``next_step`` what to do about it."""

    exit_code = 1

    def __init__(self, message: str, *, next_step: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step


class UsageError(BifolioError):
    """The call is wrong in itself, whatever the library holds."""

    exit_code = 2


class UnknownFieldError(UsageError):
    """A field name that is neither known nor in the open space ``x.*``."""

    def __init__(self, name: str, *, suggestion: str | None = None) -> None:
        self.name = name
        self.suggestion = suggestion
        advice = f"Did you mean '{suggestion}'? " if suggestion else ""
        super().__init__(
            f"There is no field named '{name}'.",
            next_step=f"{advice}A field of your own is written x.NAME, for example "
            f"x.{name.removeprefix('x.') or 'shelf'}.",
        )


class InvalidValueError(UsageError):
    """A value that a field cannot hold."""

    def __init__(self, field: str, *, expected: str, got: str) -> None:
        self.field = field
        self.expected = expected
        self.got = got
        super().__init__(
            f"The field '{field}' takes {expected}; it was given {got}.",
            next_step="Nothing was changed. Give the value again in that form.",
        )


class LibraryError(BifolioError):
    """Something about the folder or the file of a replica at ``path``."""

    def __init__(self, message: str, *, path: Path, next_step: str = "") -> None:
        self.path = path
        super().__init__(message, next_step=next_step)


class NotALibraryError(LibraryError):
    """There is no library at this path."""

    def __init__(self, path: Path, *, found: str) -> None:
        self.found = found
        super().__init__(
            f"There is no Bifolio library at {path}: {found}.",
            path=path,
            next_step="Make one with 'bifolio init', or name an existing one with -L PATH.",
        )


class PathTakenError(LibraryError):
    """A new replica was to be made where something is already."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} is not empty; a new library was not made there, so nothing is overwritten.",
            path=path,
            next_step="Name a path that does not exist yet.",
        )


class NewerLibraryError(LibraryError):
    """The library was written by a later version of Bifolio than this one."""

    def __init__(self, path: Path, *, version: int, known: int) -> None:
        self.version = version
        self.known = known
        super().__init__(
            f"{path} was written by a newer Bifolio (storage version {version}; this one "
            f"knows up to {known}). It was not touched.",
            path=path,
            next_step="Upgrade Bifolio on this computer: pip install --upgrade bifolio",
        )


class DamagedLibraryError(LibraryError):
    """The library's file is there but cannot be read as one."""

    def __init__(self, path: Path, *, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"The library at {path} is damaged: {reason}. It was not touched.",
            path=path,
            next_step="Keep the folder as it is and attach a fresh replica beside it from another "
            "computer's ticket ('bifolio invite' there), or restore a backup.",
        )


class ReadOnlyLibraryError(LibraryError):
    """The disk or the folder does not permit writing."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} cannot be written: the disk or the folder is read-only. Nothing was changed.",
            path=path,
            next_step="Give yourself the right to write there, or copy the library to a disk "
            "that can be written.",
        )


class BusyLibraryError(LibraryError):
    """Another process held the library longer than we wait."""

    def __init__(self, path: Path, *, waited_s: float) -> None:
        self.waited_s = waited_s
        super().__init__(
            f"Another program has held {path} for more than {waited_s:.0f} seconds. "
            "Nothing was changed.",
            path=path,
            next_step="Wait until the other bifolio command has ended, then try again.",
        )


class StorageFullError(LibraryError):
    """There is no room left on the disk."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"The disk that holds {path} is full. The change was not made; all that was there "
            "before is there still.",
            path=path,
            next_step="Free some space and try again.",
        )


class ReferenceNotFoundError(BifolioError):
    """No reference has this citation key, id or prefix of an id."""

    def __init__(self, ref: str) -> None:
        self.ref = ref
        super().__init__(
            f"No reference is called '{ref}'.",
            next_step="Find it with 'bifolio search WORDS'; 'bifolio list --trash' shows the "
            "deleted ones.",
        )


class AmbiguousReferenceError(BifolioError):
    """Several references have an id that begins with this prefix."""

    def __init__(self, ref: str, *, candidates: tuple[str, ...]) -> None:
        self.ref = ref
        self.candidates = candidates
        super().__init__(
            f"'{ref}' fits several references: {', '.join(candidates)}.",
            next_step="Give more characters of the id, or the citation key.",
        )


class ConflictChoiceError(BifolioError):
    """A conflict was to be settled by a number that does not stand for one value any more."""

    def __init__(self, message: str) -> None:
        super().__init__(
            message, next_step="Run 'bifolio conflicts' and choose from what it lists."
        )


class RecordTooLargeError(BifolioError):
    """One record is larger than one envelope may be."""

    def __init__(self, record_id: str, *, size_bytes: int, limit_bytes: int) -> None:
        self.record_id = record_id
        self.size_bytes = size_bytes
        self.limit_bytes = limit_bytes
        super().__init__(
            f"The change to {record_id[:12]} is {size_bytes:,} bytes; one change may be "
            f"{limit_bytes:,}. Nothing was changed.",
            next_step="Shorten the text, or keep it in a file of its own.",
        )


class FileFormatError(BifolioError):
    """A file of which nothing can be imported."""

    def __init__(self, file: str, *, expected: str, got: str, next_step: str = "") -> None:
        self.file = file
        self.expected = expected
        self.got = got
        super().__init__(
            f"{file} cannot be imported: expected {expected}, found {got}. Nothing was changed.",
            next_step=next_step
            or "Export the file again from the program it came from, or name "
            "its format with --format.",
        )


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


class RelayStorageError(RelayError):
    """The relay's own file cannot be read or written."""

    def __init__(self, path: Path, *, reason: str, next_step: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(
            f"The relay's data at {path} cannot be used: {reason}.", next_step=next_step
        )


class OutOfTurnError(BifolioError):
    """Our own side was about to send what the protocol does not permit now."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"This side was about to break the protocol: {reason}. It was not sent.",
            next_step="This is a fault of Bifolio. Report it with this sentence; nothing was lost.",
        )


class NothingToRemoveError(BifolioError):
    """A removal of a value that the field does not hold."""

    def __init__(self, field: str, value: str) -> None:
        self.field = field
        self.value = value
        super().__init__(
            f"The field '{field}' does not hold '{value}'. Nothing was changed.",
            next_step="'bifolio show REF' lists what it holds; a name is given whole.",
        )


class TrashedReferenceError(BifolioError):
    """An edit of a reference that lies in the trash."""

    def __init__(self, ref: str) -> None:
        self.ref = ref
        super().__init__(
            f"'{ref}' is in the trash. Nothing was changed.",
            next_step=f"Run 'bifolio restore {ref}' first.",
        )


class GroupNotFoundError(BifolioError):
    """No group has this name, path or id."""

    def __init__(self, group: str) -> None:
        self.group = group
        super().__init__(
            f"No group is called '{group}'.",
            next_step="See them all with 'bifolio group list', the deleted ones with --trash.",
        )


class AmbiguousGroupError(BifolioError):
    """Several groups have this name or path, or an id that begins so."""

    def __init__(self, group: str, *, candidates: tuple[str, ...]) -> None:
        self.group = group
        self.candidates = candidates
        super().__init__(
            f"'{group}' fits several groups: {', '.join(candidates)}.",
            next_step="Give the group's path, or its id.",
        )


class GroupPlaceError(BifolioError):
    """A group was to be moved where it cannot stand."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"{reason}. Nothing was changed.",
            next_step="See how the groups stand with 'bifolio group list'.",
        )


class SmartGroupError(BifolioError):
    """What only a group filled by hand can do, or only a smart one."""

    def __init__(self, name: str, *, smart: bool) -> None:
        self.name = name
        self.smart = smart
        if smart:
            super().__init__(
                f"'{name}' holds what its query finds; nothing can be put in or taken out.",
                next_step=f"Change the query with 'bifolio group edit {name} --query Q', or make "
                "a group without one.",
            )
        else:
            super().__init__(
                f"'{name}' is filled by hand and has no query. Nothing was changed.",
                next_step="Make a smart group with 'bifolio group create NAME --query Q'.",
            )


class TagNotFoundError(BifolioError):
    """No live reference has this tag."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        super().__init__(
            f"No reference has the tag '{tag}'.",
            next_step="See them all with 'bifolio tag list'.",
        )
