"""What the library answers: each with ``to_json``, the document that the command line prints.

One module for each subject; everything is imported from here.
"""

from __future__ import annotations

from bifolio.records.reference import ExportReport, LeftOut, LostValue, SkippedRecord
from bifolio.results.backups import Backup, Restored
from bifolio.results.citations import Cited
from bifolio.results.copies import CopiedReference, CopyOutcome, CopyReport, MissingFile
from bifolio.results.duplicates import (
    DifferingValue,
    DuplicateGroup,
    DuplicatePair,
    Merged,
    TakenValue,
)
from bifolio.results.files import Policy, ShownFile
from bifolio.results.groups import GroupKind, ShownGroup, TagCount, TakenOff
from bifolio.results.history import Deed, Event, KeptField, LogEntry, UndoReport
from bifolio.results.keys import KeptBecause, KeptKey, KeyReport, NewKey, SharedKey
from bifolio.results.references import Conflict, ConflictChoice, Purged, Shown
from bifolio.results.reports import Attached, ClearedFields, ImportReport, Joined, SyncReport
from bifolio.results.status import Refusal, RelayStatus, Status

__all__ = [
    "Attached",
    "Backup",
    "Cited",
    "ClearedFields",
    "Conflict",
    "ConflictChoice",
    "CopiedReference",
    "CopyOutcome",
    "CopyReport",
    "Deed",
    "DifferingValue",
    "DuplicateGroup",
    "DuplicatePair",
    "Event",
    "ExportReport",
    "GroupKind",
    "ImportReport",
    "Joined",
    "KeptBecause",
    "KeptField",
    "KeptKey",
    "KeyReport",
    "LeftOut",
    "LogEntry",
    "LostValue",
    "Merged",
    "MissingFile",
    "NewKey",
    "Policy",
    "Purged",
    "Refusal",
    "RelayStatus",
    "Restored",
    "SharedKey",
    "Shown",
    "ShownFile",
    "ShownGroup",
    "SkippedRecord",
    "Status",
    "SyncReport",
    "TagCount",
    "TakenOff",
    "TakenValue",
    "UndoReport",
]
