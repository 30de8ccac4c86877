"""What each command prints with --json: most of it a result of the library, the rest declared here.

``COMMANDS`` is the table from which docs/cli.md is made; a test checks what the commands print
against the JSON Schema of these types.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bifolio.results import (
    AcceptedDraft,
    AnnotationView,
    AttachResult,
    AutosyncStatus,
    Backup,
    BundleExport,
    BundleImport,
    ChangedMember,
    CompactionReport,
    ConfirmedDeletions,
    Conflict,
    CopyReport,
    CreatedLibrary,
    DetachedLibrary,
    DeviceView,
    Diagnosis,
    DiscardedDraft,
    DraftFile,
    DraftView,
    DuplicateGroup,
    EmptiedTrash,
    Event,
    ExportedFile,
    FilePolicy,
    FileText,
    FileView,
    FormattedCitation,
    FreedSpace,
    GroupView,
    ImportReport,
    Invitation,
    InvitationByBundle,
    InviteView,
    JoinResult,
    KeyPattern,
    KeyReport,
    LeftLibrary,
    LibraryView,
    LogEntry,
    MemberView,
    MergedReferences,
    NoteView,
    PurgedReference,
    RecoveredLibrary,
    RecoveryCode,
    ReferenceView,
    RemovedMembers,
    RenamedTag,
    RestoredLibrary,
    RestoreReport,
    Result,
    RevokedInvite,
    RotatedDevice,
    ServingStatus,
    SharedKey,
    Status,
    SyncedView,
    SyncReport,
    TagCount,
    UndoReport,
    WrittenFile,
)
from bifolio_cli.json_failures import Version


class ServedAt(Result, frozen=True):
    """A library that other programs of this computer find at an address."""

    address: str
    library: Path


class WatchedExport(Result, frozen=True):
    """A file that was written again: references in it, those composed again, lost values."""

    exported: int
    composed: int
    file: Path
    lost: int


class AutosyncReport(AutosyncStatus, frozen=True):
    """Automatic sync, and what starts it: systemd, launchd, a plain process, or nothing."""

    service: str | None
    starts_at_login: bool


class AutosyncRun(Result, frozen=True):
    """Whether the process ran: not where another one does already."""

    ran: bool


class Listening(Result, frozen=True):
    """The address of a relay that is ready."""

    listening: str


class RelayLibrary(Result, frozen=True):
    """A library that a relay holds; times are ISO 8601, empty where they are not known.

    ``members`` is null where they are not counted yet; ``log_bytes`` is without files,
    ``file_bytes`` what the files cost. ``token`` is the label of the token that allowed it.
    """

    id: str
    created: str
    last_used: str
    members: int | None
    changes: int
    log_bytes: int
    files: int
    file_bytes: int
    token: str | None


class RemovedRelayLibrary(Result, frozen=True):
    """The library that a relay holds no longer."""

    id: str
    removed: bool


class NewRelayToken(Result, frozen=True):
    """A new token of a relay; it is shown this once."""

    token: str
    id: str
    label: str


class RelayTokenView(Result, frozen=True):
    """A token of a relay, without its secret; null where a bound is not set."""

    id: str
    label: str
    used: int
    uses: int | None
    created: str
    expires: str | None
    revoked: str | None


class DemoCheck(Result, frozen=True):
    """One sentence about the two libraries of the demo, and whether it holds."""

    check: str
    holds: bool


class DemoReport(Result, frozen=True):
    """What the demo measured and checked; ``folder`` is what --keep left behind."""

    references: dict[str, int]
    conflicts: dict[str, int]
    state: str
    seconds: dict[str, float]
    bytes: dict[str, int]
    checks: tuple[DemoCheck, ...]
    folder: Path | None


class BenchStep(Result, frozen=True):
    """One step of the benchmark: how many references, edits or changes it was of, the seconds that
    it took, and for how many of them a core was busy."""

    name: str
    count: int
    seconds: float
    cpu_seconds: float


class BenchGrowth(Result, frozen=True):
    """What one edit costs in a library of so many references, in milliseconds."""

    references: int
    edit_ms: float
    edit_cpu_ms: float


class BenchReport(Result, frozen=True):
    """What the benchmark measured; ``state`` is the hash of the library that all ended with.

    ``bytes_per_reference`` and ``bytes_per_edit`` are what the relay stores, and
    ``disk_bytes_per_reference`` what a computer does. ``peak_bytes`` is 0 where the system does not
    tell.
    """

    references: int
    edits: int
    replicas: int
    steps: tuple[BenchStep, ...]
    growth: tuple[BenchGrowth, ...]
    bytes_per_reference: int
    bytes_per_edit: int
    disk_bytes_per_reference: int
    peak_bytes: int
    state: str


#: The document of each command: a type, or a list of them. A command under which others are is
#: named with each of them.
COMMANDS: Mapping[str, Any] = {
    "init": CreatedLibrary,
    "import": ImportReport,
    "export": ExportedFile,
    "export --watch": WatchedExport,
    "cite": FormattedCitation,
    "cite --styles": list[str],
    "add": ReferenceView,
    "edit": ReferenceView,
    "show": ReferenceView,
    "list": list[ReferenceView],
    "search": list[ReferenceView],
    "copy": CopyReport,
    "group create": GroupView,
    "group rename": GroupView,
    "group edit": GroupView,
    "group move": GroupView,
    "group delete": GroupView,
    "group restore": GroupView,
    "group add": list[ReferenceView],
    "group remove": list[ReferenceView],
    "group list": list[GroupView],
    "note list": list[NoteView],
    "note show": NoteView,
    "note add": NoteView,
    "note edit": NoteView,
    "note remove": NoteView,
    "annotation list": list[AnnotationView],
    "annotation add": AnnotationView,
    "annotation edit": AnnotationView,
    "annotation remove": AnnotationView,
    "tag list": list[TagCount],
    "tag add": list[ReferenceView],
    "tag remove": list[ReferenceView],
    "tag rename": RenamedTag,
    "file add": list[FileView],
    "file list": list[FileView],
    "file open": WrittenFile,
    "file export": WrittenFile,
    "file text": FileText,
    "file remove": FileView,
    "file clean": FreedSpace,
    "file policy": FilePolicy,
    "key pattern": KeyPattern,
    "key make": KeyReport,
    "key pin": list[ReferenceView],
    "key unpin": list[ReferenceView],
    "key shared": list[SharedKey],
    "duplicates": list[DuplicateGroup],
    "duplicates --ignore": list[ReferenceView],
    "merge": MergedReferences,
    "delete": list[ReferenceView],
    "restore": list[ReferenceView],
    "restore --at": RestoreReport,
    "trash list": list[ReferenceView],
    "trash list --emptied": list[PurgedReference],
    "trash empty": EmptiedTrash,
    "trash confirm": ConfirmedDeletions,
    "history": list[Event],
    "revert": ReferenceView,
    "undo": UndoReport,
    "log": list[LogEntry],
    "attach RELAY_URL": AttachResult,
    "attach TICKET": JoinResult,
    "invite": Invitation,
    "invite --bundle": InvitationByBundle,
    "invites": list[InviteView],
    "invites revoke": RevokedInvite,
    "members": list[MemberView],
    "member set-role": ChangedMember,
    "member rename": ChangedMember,
    "member remove": RemovedMembers,
    "device show": DeviceView,
    "device rename": ChangedMember,
    "device rotate": RotatedDevice,
    "leave": LeftLibrary,
    "detach": DetachedLibrary,
    "libraries": list[LibraryView],
    "recovery create": RecoveryCode,
    "recovery use": RecoveredLibrary,
    "draft": DraftView,
    "draft export": DraftFile,
    "draft show": DraftView,
    "draft accept": AcceptedDraft,
    "draft discard": DiscardedDraft,
    "bundle export": BundleExport,
    "bundle import": BundleImport,
    "sync": SyncReport,
    "sync --watch": SyncReport,
    "sync --all": list[SyncedView],
    "status": Status,
    "conflicts": list[Conflict],
    "resolve": ReferenceView,
    "backup create": Backup,
    "backup list": list[Backup],
    "backup verify": Backup,
    "backup restore": RestoredLibrary,
    "autosync on": AutosyncReport,
    "autosync off": AutosyncReport,
    "autosync status": AutosyncReport,
    "autosync run": AutosyncRun,
    "doctor": Diagnosis,
    "compact": CompactionReport,
    "serve": ServedAt,
    "serve status": ServingStatus,
    "serve allow": ServingStatus,
    "serve revoke": ServingStatus,
    "relay": Listening,
    "relay libraries": list[RelayLibrary],
    "relay remove": RemovedRelayLibrary,
    "relay delete": DetachedLibrary,
    "relay token create": NewRelayToken,
    "relay token list": list[RelayTokenView],
    "relay token revoke": RelayTokenView,
    "demo": DemoReport,
    "bench": BenchReport,
    "--version": Version,
}
