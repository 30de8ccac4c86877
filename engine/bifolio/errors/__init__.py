"""Every error that Bifolio raises on purpose.

The tree::

    BifolioError                    something could not be done; exit code 1
    ├── UsageError                  the call itself is wrong; exit code 2
    │   ├── UnknownFieldError
    │   ├── InvalidValueError
    │   └── FilesFieldError
    │   └── QueryError
    ├── LibraryError                the folder or file of a replica
    │   ├── NotALibraryError
    │   ├── PathTakenError
    │   ├── NewerLibraryError
    │   ├── DamagedLibraryError
    │   ├── ReadOnlyLibraryError
    │   ├── BusyLibraryError
    │   └── StorageFullError
    ├── SameLibraryError
    ├── BackupError                 a backup's file
    │   ├── NotABackupError
    │   ├── DamagedBackupError
    │   ├── NewerBackupError
    │   └── BackupTakenError
    ├── ReferenceNotFoundError
    ├── AmbiguousReferenceError
    ├── ConflictChoiceError
    ├── NothingToRemoveError
    ├── TrashedReferenceError
    ├── GroupNotFoundError
    ├── AmbiguousGroupError
    ├── GroupPlaceError
    ├── SmartGroupError
    ├── NotInGroupError
    ├── NotTaggedError
    ├── TagNotFoundError
    ├── KeyTakenError
    ├── PinnedKeyError
    ├── UnreadableFileError         a file that cannot be attached
    ├── FileTooLargeError
    ├── CitationsMissingError
    ├── StyleNotFoundError
    ├── StyleError
    ├── FileNameError
    ├── FileNotFoundInReferenceError
    ├── AmbiguousFileError
    ├── FileNotHereError            its content is on another computer
    ├── DamagedFileError
    ├── UnwritableFileError
    ├── NoOpenerError
    ├── NothingToUndoError
    ├── ChangeNotFoundError
    ├── AmbiguousChangeError
    ├── SealedChangeError           a change that this device has no key to
    ├── DeviceNotFoundError
    ├── NotThereThenError           no reference to revert to
    ├── RecordTooLargeError
    ├── FileFormatError             a file that cannot be imported at all
    │   ├── OldEndNoteLibraryError
    │   └── OpenElsewhereError
    ├── KeyFileError                the device's own key
    ├── TicketError
    ├── NotAttachedError
    ├── AlreadyAttachedError
    ├── NotAMemberError
    ├── NewerMembershipError        a membership record that only a newer program knows
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
        │   └── NewerFormatError    in order, but only a newer Bifolio can read it
        ├── DocumentError           an update or a state that is no document
        └── MembershipError         a membership record that breaks the rules

Each class carries its facts as attributes and makes its own text: what was expected, what
came, and in ``next_step`` what the user can do. One module for each
subject; everything is imported from here. May not import anything else of Bifolio.
"""

from __future__ import annotations

from bifolio.errors.backups import (
    BackupError,
    BackupTakenError,
    DamagedBackupError,
    NewerBackupError,
    NotABackupError,
)
from bifolio.errors.base import (
    BifolioError,
    InvalidValueError,
    OutOfTurnError,
    UnknownFieldError,
    UsageError,
)
from bifolio.errors.citations import CitationsMissingError, StyleError, StyleNotFoundError
from bifolio.errors.files import (
    AmbiguousFileError,
    DamagedFileError,
    FileNameError,
    FileNotFoundInReferenceError,
    FileNotHereError,
    FilesFieldError,
    FileTooLargeError,
    NoOpenerError,
    UnreadableFileError,
    UnwritableFileError,
)
from bifolio.errors.foreign import OldEndNoteLibraryError, OpenElsewhereError
from bifolio.errors.groups import (
    AmbiguousGroupError,
    GroupNotFoundError,
    GroupPlaceError,
    NotInGroupError,
    NotTaggedError,
    SmartGroupError,
    TagNotFoundError,
)
from bifolio.errors.history import (
    AmbiguousChangeError,
    ChangeNotFoundError,
    DeviceNotFoundError,
    NothingToUndoError,
    NotThereThenError,
    SealedChangeError,
)
from bifolio.errors.keys import KeyTakenError, PinnedKeyError
from bifolio.errors.library import (
    BusyLibraryError,
    DamagedLibraryError,
    LibraryError,
    NewerLibraryError,
    NotALibraryError,
    PathTakenError,
    ReadOnlyLibraryError,
    SameLibraryError,
    StorageFullError,
)
from bifolio.errors.peers import (
    DocumentError,
    EnvelopeError,
    MembershipError,
    NewerFormatError,
    PeerError,
    ProtocolError,
)
from bifolio.errors.references import (
    AmbiguousReferenceError,
    ConflictChoiceError,
    FileFormatError,
    NothingToRemoveError,
    RecordTooLargeError,
    ReferenceNotFoundError,
    TrashedReferenceError,
)
from bifolio.errors.search import QueryError
from bifolio.errors.sharing import (
    AlreadyAttachedError,
    KeyFileError,
    NewerMembershipError,
    NotAMemberError,
    NotAttachedError,
    NotTheOwnerError,
    PortInUseError,
    RelayError,
    RelayRefusedError,
    RelayStorageError,
    RelayUnreachableError,
    TicketError,
)

__all__ = [
    "AlreadyAttachedError",
    "AmbiguousChangeError",
    "AmbiguousFileError",
    "AmbiguousGroupError",
    "AmbiguousReferenceError",
    "BackupError",
    "BackupTakenError",
    "BifolioError",
    "BusyLibraryError",
    "ChangeNotFoundError",
    "CitationsMissingError",
    "ConflictChoiceError",
    "DamagedBackupError",
    "DamagedFileError",
    "DamagedLibraryError",
    "DeviceNotFoundError",
    "DocumentError",
    "EnvelopeError",
    "FileFormatError",
    "FileNameError",
    "FileNotFoundInReferenceError",
    "FileNotHereError",
    "FileTooLargeError",
    "FilesFieldError",
    "GroupNotFoundError",
    "GroupPlaceError",
    "InvalidValueError",
    "KeyFileError",
    "KeyTakenError",
    "LibraryError",
    "MembershipError",
    "NewerBackupError",
    "NewerFormatError",
    "NewerLibraryError",
    "NewerMembershipError",
    "NoOpenerError",
    "NotABackupError",
    "NotALibraryError",
    "NotAMemberError",
    "NotAttachedError",
    "NotInGroupError",
    "NotTaggedError",
    "NotTheOwnerError",
    "NotThereThenError",
    "NothingToRemoveError",
    "NothingToUndoError",
    "OldEndNoteLibraryError",
    "OpenElsewhereError",
    "OutOfTurnError",
    "PathTakenError",
    "PeerError",
    "PinnedKeyError",
    "PortInUseError",
    "ProtocolError",
    "QueryError",
    "ReadOnlyLibraryError",
    "RecordTooLargeError",
    "ReferenceNotFoundError",
    "RelayError",
    "RelayRefusedError",
    "RelayStorageError",
    "RelayUnreachableError",
    "SameLibraryError",
    "SealedChangeError",
    "SmartGroupError",
    "StorageFullError",
    "StyleError",
    "StyleNotFoundError",
    "TagNotFoundError",
    "TicketError",
    "TrashedReferenceError",
    "UnknownFieldError",
    "UnreadableFileError",
    "UnwritableFileError",
    "UsageError",
]
