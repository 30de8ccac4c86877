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
    │   ├── ForeignSchemaError      a trigger or the like in it
    │   ├── ReadOnlyLibraryError
    │   ├── BusyLibraryError
    │   └── StorageFullError
    ├── SameLibraryError
    ├── BackupError                 a backup's file
    │   ├── NotABackupError
    │   ├── DamagedBackupError
    │   ├── NewerBackupError
    │   └── BackupTakenError
    ├── BundleError                 a bundle's file
    │   ├── NotABundleError
    │   ├── DamagedBundleError      cut short or altered
    │   ├── NewerBundleError
    │   ├── ForeignBundleError      of another library
    │   ├── BundleBeforeTicketError
    │   ├── BundleTakenError
    │   ├── BundleIncompleteError   a snapshot brought what would go in
    │   └── UnwritableBundleError
    ├── BundleNeededError
    ├── ReferenceNotFoundError
    ├── AmbiguousReferenceError
    ├── ConflictChoiceError
    ├── NoteNotFoundError
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
    ├── FileNotOpenedError
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
    │   └── LockedTicketError       it has a passphrase
    ├── RecoveryCodeError
    ├── NotAttachedError
    ├── AlreadyAttachedError
    ├── NotAMemberError
    │   ├── RemovedError            an owner removed this device
    │   └── KeysReplacedError       its keys were replaced by others
    ├── ReaderError                 a change by a device that may only read
    ├── MemberNotFoundError
    ├── AmbiguousMemberError
    ├── MemberNameTakenError
    ├── LastOwnerError
    ├── DraftError                  edits that another may not send itself
    ├── NothingToSendError
    ├── NewerMembershipError        a membership record that only a newer program knows
    ├── NotTheOwnerError
    ├── RelayError                  the relay, or the way to it
    │   ├── RelayUnreachableError
    │   │   ├── RelayAnswerError    something else answers there
    │   │   ├── RelayProxyError     the proxy on the way to it
    │   │   ├── RelayRedirectError
    │   │   └── RelayUntrustedError
    │   ├── RelayRefusedError       the relay answered: no
    │   │   ├── LibraryDeletedError an owner deleted the library there
    │   │   └── TicketEndedError
    │   ├── RelayTokenError         a string that is no token of a relay
    │   ├── PortInUseError
    │   └── RelayStorageError       the relay's own file
    │       ├── RelayDamagedError   damaged, and to be mended
    │       └── RelayFullError      no room on its disk
    ├── OutOfTurnError              our own side spoke out of turn: a bug of ours
    └── PeerError                   what another computer sent is wrong: the peer's fault
        ├── ProtocolError           bytes that are no message, or a message out of turn
        │   ├── RelayConductError   messages that together are not what a relay may say
        │   └── VersionsError       no version of the protocol in common
        ├── EnvelopeError           damaged, forged or not permitted
        │   └── NewerFormatError    in order, but only a newer Bifolio can read it
        ├── DocumentError           an update or a state that is no document
        │   └── IncompleteUpdateError   an update that builds on what is not there
        └── MembershipError         a membership record that breaks the rules
            ├── OldMembershipError  made by an earlier Bifolio
            └── WrongKeyError       a content key that is not the promised one

Each class has a ``code`` that stays the same, carries its facts as attributes and makes its own
text: what was expected, and what came. ``next_step`` is what the user can do, as a code (``Next``)
with its facts; each front end puts it into words. Everything is imported from here:

===============  ==============================================================================
``base``         the base, and what is wrong with a call in itself
``next_steps``   what can be done about an error
``library``      a replica's folder and file, and backups
``references``   references, groups, tags, citation keys, history, citation styles
``files``        attached files, and files that references are read from
``sharing``      keys, tickets, membership, the relay
``peers``        what another computer sent
``bundles``      bundles, by which a library is shared without a relay
===============  ==============================================================================

May not import anything else of Bifolio.
"""

from __future__ import annotations

from bifolio.errors.base import (
    DATA_FAULTS,
    BifolioError,
    InvalidValueError,
    OutOfTurnError,
    QueryError,
    UnknownFieldError,
    UsageError,
)
from bifolio.errors.bundles import (
    BundleBeforeTicketError,
    BundleError,
    BundleIncompleteError,
    BundleNeededError,
    BundleTakenError,
    DamagedBundleError,
    ForeignBundleError,
    NewerBundleError,
    NotABundleError,
    UnwritableBundleError,
)
from bifolio.errors.files import (
    AmbiguousFileError,
    DamagedFileError,
    FileFormatError,
    FileNameError,
    FileNotFoundInReferenceError,
    FileNotHereError,
    FileNotOpenedError,
    FilesFieldError,
    FileTooLargeError,
    NoOpenerError,
    OldEndNoteLibraryError,
    OpenElsewhereError,
    UnreadableFileError,
    UnwritableFileError,
)
from bifolio.errors.library import (
    BackupError,
    BackupTakenError,
    BusyLibraryError,
    DamagedBackupError,
    DamagedLibraryError,
    ForeignSchemaError,
    LibraryError,
    NewerBackupError,
    NewerLibraryError,
    NotABackupError,
    NotALibraryError,
    PathTakenError,
    ReadOnlyLibraryError,
    ReplacedLibraryError,
    SameLibraryError,
    StorageFullError,
    TemporaryFolderFullError,
)
from bifolio.errors.next_steps import (
    FACTS,
    Fact,
    Next,
    NextStep,
    as_next_step,
    from_plain,
    next_step,
    to_plain,
)
from bifolio.errors.peers import (
    DocumentError,
    EnvelopeError,
    IncompleteUpdateError,
    MembershipError,
    NewerFormatError,
    OldMembershipError,
    PeerError,
    ProtocolError,
    RelayConductError,
    VersionsError,
    WrongKeyError,
)
from bifolio.errors.references import (
    AmbiguousChangeError,
    AmbiguousGroupError,
    AmbiguousReferenceError,
    ChangeNotFoundError,
    CitationsMissingError,
    ConflictChoiceError,
    DeviceNotFoundError,
    GroupNotFoundError,
    GroupPlaceError,
    KeyTakenError,
    NoteNotFoundError,
    NothingToRemoveError,
    NothingToUndoError,
    NotInGroupError,
    NotTaggedError,
    NotThereThenError,
    PinnedKeyError,
    RecordTooLargeError,
    ReferenceNotFoundError,
    SealedChangeError,
    SmartGroupError,
    StyleError,
    StyleNotFoundError,
    TagNotFoundError,
    TrashedReferenceError,
)
from bifolio.errors.sharing import (
    AlreadyAttachedError,
    AmbiguousMemberError,
    DraftError,
    KeyFileError,
    KeysReplacedError,
    LastOwnerError,
    LibraryDeletedError,
    LockedTicketError,
    MemberNameTakenError,
    MemberNotFoundError,
    NewerMembershipError,
    NotAMemberError,
    NotAttachedError,
    NothingToSendError,
    NotTheOwnerError,
    PortInUseError,
    ReaderError,
    RecoveryCodeError,
    RelayAnswerError,
    RelayDamagedError,
    RelayError,
    RelayFullError,
    RelayProxyError,
    RelayRedirectError,
    RelayRefusedError,
    RelayStorageError,
    RelayTokenError,
    RelayUnreachableError,
    RelayUntrustedError,
    RemovedError,
    TicketEndedError,
    TicketError,
)

__all__ = [
    "DATA_FAULTS",
    "FACTS",
    "AlreadyAttachedError",
    "AmbiguousChangeError",
    "AmbiguousFileError",
    "AmbiguousGroupError",
    "AmbiguousMemberError",
    "AmbiguousReferenceError",
    "BackupError",
    "BackupTakenError",
    "BifolioError",
    "BundleBeforeTicketError",
    "BundleError",
    "BundleIncompleteError",
    "BundleNeededError",
    "BundleTakenError",
    "BusyLibraryError",
    "ChangeNotFoundError",
    "CitationsMissingError",
    "ConflictChoiceError",
    "DamagedBackupError",
    "DamagedBundleError",
    "DamagedFileError",
    "DamagedLibraryError",
    "DeviceNotFoundError",
    "DocumentError",
    "DraftError",
    "EnvelopeError",
    "Fact",
    "FileFormatError",
    "FileNameError",
    "FileNotFoundInReferenceError",
    "FileNotHereError",
    "FileNotOpenedError",
    "FileTooLargeError",
    "FilesFieldError",
    "ForeignBundleError",
    "ForeignSchemaError",
    "GroupNotFoundError",
    "GroupPlaceError",
    "IncompleteUpdateError",
    "InvalidValueError",
    "KeyFileError",
    "KeyTakenError",
    "KeysReplacedError",
    "LastOwnerError",
    "LibraryDeletedError",
    "LibraryError",
    "LockedTicketError",
    "MemberNameTakenError",
    "MemberNotFoundError",
    "MembershipError",
    "NewerBackupError",
    "NewerBundleError",
    "NewerFormatError",
    "NewerLibraryError",
    "NewerMembershipError",
    "Next",
    "NextStep",
    "NoOpenerError",
    "NotABackupError",
    "NotABundleError",
    "NotALibraryError",
    "NotAMemberError",
    "NotAttachedError",
    "NotInGroupError",
    "NotTaggedError",
    "NotTheOwnerError",
    "NotThereThenError",
    "NoteNotFoundError",
    "NothingToRemoveError",
    "NothingToSendError",
    "NothingToUndoError",
    "OldEndNoteLibraryError",
    "OldMembershipError",
    "OpenElsewhereError",
    "OutOfTurnError",
    "PathTakenError",
    "PeerError",
    "PinnedKeyError",
    "PortInUseError",
    "ProtocolError",
    "QueryError",
    "ReadOnlyLibraryError",
    "ReaderError",
    "RecordTooLargeError",
    "RecoveryCodeError",
    "ReferenceNotFoundError",
    "RelayAnswerError",
    "RelayConductError",
    "RelayDamagedError",
    "RelayError",
    "RelayFullError",
    "RelayProxyError",
    "RelayRedirectError",
    "RelayRefusedError",
    "RelayStorageError",
    "RelayTokenError",
    "RelayUnreachableError",
    "RelayUntrustedError",
    "RemovedError",
    "ReplacedLibraryError",
    "SameLibraryError",
    "SealedChangeError",
    "SmartGroupError",
    "StorageFullError",
    "StyleError",
    "StyleNotFoundError",
    "TagNotFoundError",
    "TemporaryFolderFullError",
    "TicketEndedError",
    "TicketError",
    "TrashedReferenceError",
    "UnknownFieldError",
    "UnreadableFileError",
    "UnwritableBundleError",
    "UnwritableFileError",
    "UsageError",
    "VersionsError",
    "WrongKeyError",
    "as_next_step",
    "from_plain",
    "next_step",
    "to_plain",
]
