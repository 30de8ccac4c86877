"""What the library answers: frozen values, declared once, that become JSON in one way.

================  =============================================================================
``base``          what every result is, and ``to_json``
``schema``        the JSON Schema of all results, written by a command
``references``    references and their conflicts
``groups``        groups and tags
``files``         attached files
``citation_keys`` citation keys
``duplicates``    likely duplicates, and merges
``history``       events, the log, undo
``reports``       imports, exports, attaching, joining, sync
``copies``        copies into another library
``citations``     formatted citations
``backups``       backups
``bundles``       bundles: written and taken in
``members``       members and invites
``libraries``     the libraries of one computer
``serving``       libraries served to other programs
``windows``       parts of a library, as a front end reads them
``status``        a replica at a glance
``autosync``      automatic sync at a glance
``doctor``        what a self-check found
``compaction``    what compacting a library saved
``progress``      what is under way
================  =============================================================================

Everything is imported from here; a module is loaded when the first of its names is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from bifolio.records.reference import ExportReport, LeftOut, LostValue, SkippedRecord
    from bifolio.results.autosync import (
        AutosyncStatus,
        BackgroundServing,
        Link,
        SyncedLibrary,
    )
    from bifolio.results.backups import (
        Backup,
        BackupContents,
        RestoredLibrary,
    )
    from bifolio.results.base import (
        Result,
        step_to_json,
        to_json,
    )
    from bifolio.results.bundles import (
        BundleExport,
        BundleImport,
        BundleState,
        ImportedBundle,
        InvitationByBundle,
        KnownRelay,
        RefusedBundle,
    )
    from bifolio.results.citation_keys import (
        KeptBecause,
        KeptKey,
        KeyPattern,
        KeyReport,
        NewKey,
        SharedKey,
    )
    from bifolio.results.citations import (
        FormattedCitation,
    )
    from bifolio.results.compaction import CompactionReport, Saving, SavingKind
    from bifolio.results.copies import (
        CopiedReference,
        CopyOutcome,
        CopyReport,
        MissingFile,
    )
    from bifolio.results.doctor import (
        CheckVerdict,
        Diagnosis,
        Finding,
    )
    from bifolio.results.duplicates import (
        DifferingValue,
        DuplicateGroup,
        DuplicatePair,
        MergedReferences,
        TakenValue,
    )
    from bifolio.results.files import (
        FilePolicy,
        FileState,
        FileText,
        FileView,
        FreedSpace,
        Policy,
        WrittenFile,
    )
    from bifolio.results.groups import (
        GroupKind,
        GroupView,
        RemovalResult,
        RenamedTag,
        TagCount,
    )
    from bifolio.results.history import (
        Action,
        ActionKind,
        Event,
        EventKind,
        KeptField,
        KeptReason,
        LogEntry,
        RestoreReport,
        Subject,
        UndoneJoin,
        UndoReport,
        in_words,
        read_actions,
        write_actions,
    )
    from bifolio.results.libraries import (
        DetachedLibrary,
        LibraryState,
        LibraryView,
        SyncedView,
    )
    from bifolio.results.members import (
        AcceptedDraft,
        ChangedMember,
        DeviceLibrary,
        DeviceView,
        DiscardedDraft,
        DraftEdit,
        DraftFile,
        DraftValue,
        DraftView,
        EditKind,
        InviteState,
        InviteView,
        LeftLibrary,
        MemberView,
        RecoveryCode,
        RemovedMembers,
        RevokedInvite,
        RotatedDevice,
        RotatedLibrary,
    )
    from bifolio.results.progress import IN_BYTES, FileProgress, Progress, Stage
    from bifolio.results.references import (
        AnnotationView,
        ConfirmedDeletions,
        Conflict,
        ConflictChoice,
        CopyOrigin,
        EmptiedTrash,
        NoteView,
        PurgedReference,
        ReferenceView,
    )
    from bifolio.results.reports import (
        AttachResult,
        ClearedFields,
        CreatedLibrary,
        ExportedFile,
        ImportReport,
        ImportTally,
        Invitation,
        JoinResult,
        RecoveredLibrary,
        SyncReport,
        TicketPreview,
    )
    from bifolio.results.serving import AllowedProgram, ServingStatus
    from bifolio.results.status import (
        HeardDevice,
        Notice,
        Refusal,
        RelayMoved,
        RelayStatus,
        SharingState,
        Status,
    )
    from bifolio.results.windows import LibraryChanges, WindowRow

__all__ = [
    "IN_BYTES",
    "AcceptedDraft",
    "Action",
    "ActionKind",
    "AllowedProgram",
    "AnnotationView",
    "AttachResult",
    "AutosyncStatus",
    "BackgroundServing",
    "Backup",
    "BackupContents",
    "BundleExport",
    "BundleImport",
    "BundleState",
    "ChangedMember",
    "CheckVerdict",
    "ClearedFields",
    "CompactionReport",
    "ConfirmedDeletions",
    "Conflict",
    "ConflictChoice",
    "CopiedReference",
    "CopyOrigin",
    "CopyOutcome",
    "CopyReport",
    "CreatedLibrary",
    "DetachedLibrary",
    "DeviceLibrary",
    "DeviceView",
    "Diagnosis",
    "DifferingValue",
    "DiscardedDraft",
    "DraftEdit",
    "DraftFile",
    "DraftValue",
    "DraftView",
    "DuplicateGroup",
    "DuplicatePair",
    "EditKind",
    "EmptiedTrash",
    "Event",
    "EventKind",
    "ExportReport",
    "ExportedFile",
    "FilePolicy",
    "FileProgress",
    "FileState",
    "FileText",
    "FileView",
    "Finding",
    "FormattedCitation",
    "FreedSpace",
    "GroupKind",
    "GroupView",
    "HeardDevice",
    "ImportReport",
    "ImportTally",
    "ImportedBundle",
    "Invitation",
    "InvitationByBundle",
    "InviteState",
    "InviteView",
    "JoinResult",
    "KeptBecause",
    "KeptField",
    "KeptKey",
    "KeptReason",
    "KeyPattern",
    "KeyReport",
    "KnownRelay",
    "LeftLibrary",
    "LeftOut",
    "LibraryChanges",
    "LibraryState",
    "LibraryView",
    "Link",
    "LogEntry",
    "LostValue",
    "MemberView",
    "MergedReferences",
    "MissingFile",
    "NewKey",
    "NoteView",
    "Notice",
    "Policy",
    "Progress",
    "PurgedReference",
    "RecoveredLibrary",
    "RecoveryCode",
    "ReferenceView",
    "Refusal",
    "RefusedBundle",
    "RelayMoved",
    "RelayStatus",
    "RemovalResult",
    "RemovedMembers",
    "RenamedTag",
    "RestoreReport",
    "RestoredLibrary",
    "Result",
    "RevokedInvite",
    "RotatedDevice",
    "RotatedLibrary",
    "Saving",
    "SavingKind",
    "ServingStatus",
    "SharedKey",
    "SharingState",
    "SkippedRecord",
    "Stage",
    "Status",
    "Subject",
    "SyncReport",
    "SyncedLibrary",
    "SyncedView",
    "TagCount",
    "TakenValue",
    "TicketPreview",
    "UndoReport",
    "UndoneJoin",
    "WindowRow",
    "WrittenFile",
    "in_words",
    "read_actions",
    "step_to_json",
    "to_json",
    "write_actions",
]

#: Where each name is.
_NAMES: Final = {
    "bifolio.records.reference": "ExportReport LeftOut LostValue SkippedRecord",
    "bifolio.results.autosync": "AutosyncStatus BackgroundServing Link SyncedLibrary",
    "bifolio.results.backups": "Backup BackupContents RestoredLibrary",
    "bifolio.results.base": "Result step_to_json to_json",
    "bifolio.results.bundles": (
        "BundleExport BundleImport BundleState ImportedBundle InvitationByBundle KnownRelay "
        "RefusedBundle"
    ),
    "bifolio.results.citation_keys": "KeptBecause KeptKey KeyPattern KeyReport NewKey SharedKey",
    "bifolio.results.citations": "FormattedCitation",
    "bifolio.results.compaction": "CompactionReport Saving SavingKind",
    "bifolio.results.copies": "CopiedReference CopyOutcome CopyReport MissingFile",
    "bifolio.results.doctor": "CheckVerdict Diagnosis Finding",
    "bifolio.results.duplicates": (
        "DifferingValue DuplicateGroup DuplicatePair MergedReferences TakenValue"
    ),
    "bifolio.results.files": "FilePolicy FileState FileText FileView FreedSpace Policy WrittenFile",
    "bifolio.results.groups": "GroupKind GroupView RemovalResult RenamedTag TagCount",
    "bifolio.results.history": (
        "Action ActionKind Event EventKind KeptField KeptReason LogEntry "
        "RestoreReport Subject UndoReport UndoneJoin in_words read_actions write_actions"
    ),
    "bifolio.results.libraries": "DetachedLibrary LibraryState LibraryView SyncedView",
    "bifolio.results.members": (
        "AcceptedDraft ChangedMember DiscardedDraft DraftEdit DraftFile DraftValue DraftView "
        "EditKind "
        "InviteState InviteView LeftLibrary MemberView RecoveryCode RemovedMembers "
        "RevokedInvite DeviceLibrary DeviceView RotatedDevice RotatedLibrary"
    ),
    "bifolio.results.progress": "IN_BYTES FileProgress Progress Stage",
    "bifolio.results.references": (
        "AnnotationView ConfirmedDeletions Conflict ConflictChoice CopyOrigin EmptiedTrash "
        "NoteView PurgedReference ReferenceView"
    ),
    "bifolio.results.reports": (
        "AttachResult ClearedFields CreatedLibrary ExportedFile ImportReport ImportTally "
        "Invitation JoinResult RecoveredLibrary SyncReport TicketPreview"
    ),
    "bifolio.results.serving": "AllowedProgram ServingStatus",
    "bifolio.results.status": (
        "HeardDevice Notice Refusal RelayMoved RelayStatus SharingState Status"
    ),
    "bifolio.results.windows": "LibraryChanges WindowRow",
}
_HOMES: Final = {name: module for module, names in _NAMES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'bifolio.results' has no attribute '{name}'")
    found = globals()[name] = getattr(import_module(home), name)
    return found
