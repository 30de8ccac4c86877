"""What can be done about an error: a code and its facts, which each front end puts into words.

The engine knows no command line, no window and no web page; it says ``Next.RUN_SYNC`` and each
front end says how that is done there. Advice that is the same everywhere (how a query is
written, what to do in another program) is ``Next.ADVICE`` with its text.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

#: What a fact may be: each goes into JSON as it is.
Fact = str | int | tuple[str, ...]


class Next(StrEnum):
    """The next steps. ``FACTS`` names what each is given."""

    #: Advice in plain words, which are the same in every front end.
    ADVICE = "advice"
    #: Nothing to do: Bifolio tries again by itself.
    WAIT = "wait"
    #: A fault of Bifolio: report it; nothing was lost.
    REPORT_FAULT = "report-fault"
    UPGRADE = "upgrade"
    UPGRADE_THEN_SYNC = "upgrade-then-sync"

    # Libraries and backups
    CREATE_LIBRARY = "create-library"
    CHOOSE_NEW_PATH = "choose-new-path"
    MAKE_WRITABLE = "make-writable"
    WAIT_FOR_OTHER_PROGRAM = "wait-for-other-program"
    FREE_DISK_SPACE = "free-disk-space"
    CHECK_DISK = "check-disk"
    REPLACE_LIBRARY = "replace-library"
    SWEEP_LEFTOVERS = "sweep-leftovers"
    FIND_LOST_EDITS = "find-lost-edits"
    OPEN_LIBRARY_AGAIN = "open-library-again"
    FREE_TEMPORARY_SPACE = "free-temporary-space"
    CHOOSE_OTHER_LIBRARY = "choose-other-library"
    MOVE_LIBRARY = "move-library"
    KEEP_MEDIA_CONNECTED = "keep-media-connected"
    REBUILD_INDEX = "rebuild-index"
    LIST_BACKUPS = "list-backups"
    REPLACE_BACKUP = "replace-backup"
    CHOOSE_BACKUP_PATH = "choose-backup-path"

    # References, groups, tags and keys
    FIND_REFERENCE = "find-reference"
    SHOW_REFERENCE = "show-reference"
    RESTORE_REFERENCE = "restore-reference"
    GIVE_LONGER_ID = "give-longer-id"
    CHOOSE_FIELD = "choose-field"
    SET_OR_CLEAR_FIELD = "set-or-clear-field"
    LIST_NOTES = "list-notes"
    LIST_CONFLICTS = "list-conflicts"
    KEEP_OR_DELETE = "keep-or-delete"
    #: Agree to what others deleted, or bring back what was there before (``time``).
    CONFIRM_DELETIONS = "confirm-deletions"
    SHORTEN_TEXT = "shorten-text"
    LIST_DUPLICATES = "list-duplicates"
    LIST_GROUPS = "list-groups"
    GIVE_GROUP_PATH = "give-group-path"
    GIVE_GROUP_ID = "give-group-id"
    LIST_GROUP_REFERENCES = "list-group-references"
    CHANGE_GROUP_QUERY = "change-group-query"
    CREATE_SMART_GROUP = "create-smart-group"
    LIST_TAGS = "list-tags"
    CHOOSE_OTHER_KEY = "choose-other-key"
    UNPIN_KEY = "unpin-key"
    CHOOSE_QUERY_OR_TRASH = "choose-query-or-trash"
    LIST_STYLES = "list-styles"
    INSTALL_CITATIONS = "install-citations"

    # Attached files and files to import
    ADD_OR_REMOVE_FILE = "add-or-remove-file"
    CHOOSE_READABLE_FILE = "choose-readable-file"
    RENAME_FILE = "rename-file"
    KEEP_FILE_ELSEWHERE = "keep-file-elsewhere"
    CHOOSE_FILE_NAME = "choose-file-name"
    FETCH_FILE = "fetch-file"
    ATTACH_FILE_AGAIN = "attach-file-again"
    SYNC_WHERE_FILE_IS_WHOLE = "sync-where-file-is-whole"
    SYNC_OTHER_COMPUTER = "sync-other-computer"
    SYNC_IMPORTING_COMPUTER = "sync-importing-computer"
    FETCH_FILE_AGAIN = "fetch-file-again"
    CHOOSE_OUTPUT_PATH = "choose-output-path"
    OPEN_BY_PATH = "open-by-path"
    EXPORT_FILE = "export-file"
    LIST_FILES = "list-files"
    #: Attach a changed copy (``path``) as the new version of a file of ``ref``, or delete it.
    KEEP_CHANGED_COPY = "keep-changed-copy"
    CHECK_FILES = "check-files"
    REPLACE_FILE = "replace-file"
    EXPORT_FILE_AGAIN = "export-file-again"
    CHOOSE_ZOTERO_GROUP = "choose-zotero-group"
    LEAVE_OUT_ZOTERO_GROUP = "leave-out-zotero-group"
    CHOOSE_FORMAT = "choose-format"
    LEAVE_OUT_FORMAT = "leave-out-format"
    NAME_CHARACTER_SET = "name-character-set"

    # History
    SHOW_LOG = "show-log"
    LEAVE_OR_SHOW_LOG = "leave-or-show-log"
    SHOW_HISTORY = "show-history"
    FIND_CHANGE = "find-change"

    # Sharing
    RUN_SYNC = "run-sync"
    RUN_SYNC_AGAIN = "run-sync-again"
    RUN_SYNC_LATER = "run-sync-later"
    RUN_SYNC_ON_BOTH = "run-sync-on-both"
    SYNC_TICKET_MAKER = "sync-ticket-maker"
    SYNC_TICKET_MAKER_IF_MISSING = "sync-ticket-maker-if-missing"
    SYNC_LIBRARY_HOLDER = "sync-library-holder"
    SYNC_ANOTHER_WRITER = "sync-another-writer"
    SEE_STATUS_THEN_SYNC = "see-status-then-sync"
    CHECK_CONNECTION = "check-connection"
    COMMAND_AGAIN = "command-again"
    CHECK_RELAY = "check-relay"
    TRUST_CERTIFICATE = "trust-certificate"
    ATTACH_AT_NEW_ADDRESS = "attach-at-new-address"
    ATTACH_AGAIN = "attach-again"
    ATTACH_ELSEWHERE = "attach-elsewhere"
    ATTACH_FIRST = "attach-first"
    ATTACH_NEW_PATH = "attach-new-path"
    ATTACH_TO_KNOWN = "attach-to-known"
    ATTACH_WITH_TICKET = "attach-with-ticket"
    ASK_FOR_TICKET = "ask-for-ticket"
    INVITE_AGAIN = "invite-again"
    TYPE_RECOVERY_CODE_AGAIN = "type-recovery-code-again"
    RECOVER_BY_BACKUP = "recover-by-backup"
    USE_LATEST_CODE = "use-latest-code"
    USE_CODE_OF_BACKUP = "use-code-of-backup"
    CHOOSE_LIBRARY_OF_CODE = "choose-library-of-code"
    LIST_MEMBERS = "list-members"
    LIST_INVITES = "list-invites"
    MAKE_ANOTHER_OWNER = "make-another-owner"
    #: The library has one owner and no recovery code: make a second owner, or a code.
    SECURE_OWNERSHIP = "secure-ownership"
    #: What this computer may not send can be given to an owner as a file.
    EXPORT_DRAFT = "export-draft"
    EXPORT_DRAFT_OR_ASK = "export-draft-or-ask"
    CHOOSE_DRAFT = "choose-draft"
    SYNC_THEN_OPEN_DRAFT = "sync-then-open-draft"
    CHOOSE_OTHER_NAME = "choose-other-name"
    LEAVE_OR_REMOVE_ELSEWHERE = "leave-or-remove-elsewhere"
    ROTATE_AGAIN = "rotate-again"
    GIVE_PASSPHRASE = "give-passphrase"
    ATTACH_AGAIN_OR_DETACH = "attach-again-or-detach"
    CHOOSE_ONE_TICKET = "choose-one-ticket"
    SEE_STATUS = "see-status"
    COPY_TO_OWN_LIBRARY = "copy-to-own-library"
    UPGRADE_RELAY = "upgrade-relay"
    JOIN_NEW_LIBRARY = "join-new-library"
    SYNC_OR_ASK_FOR_TICKET = "sync-or-ask-for-ticket"
    COPY_TICKET_AGAIN = "copy-ticket-again"
    GIVE_RELAY_TOKEN = "give-relay-token"
    COPY_RELAY_TOKEN_AGAIN = "copy-relay-token-again"
    ASK_OWNER = "ask-owner"
    #: Ask who uses a computer (``device``) that sent what no Bifolio writes.
    ASK_AUTHOR = "ask-author"
    ASK_FOR_DRAFT = "ask-for-draft"
    ASK_FOR_ROOM = "ask-for-room"
    #: Whether two computers have the same: the state hash of each, after a sync of both.
    COMPARE_STATES = "compare-states"
    TELL_RELAY_OPERATOR = "tell-relay-operator"
    CHECK_VERSIONS = "check-versions"
    SET_CLOCK = "set-clock"
    SET_CLOCK_OF_OTHER = "set-clock-of-other"
    ADD_AS_NEW_REFERENCE = "add-as-new-reference"
    KEEP_AND_REPORT = "keep-and-report"

    # Bundles
    CHOOSE_BUNDLE = "choose-bundle"
    CHOOSE_BUNDLE_PATH = "choose-bundle-path"
    COPY_BUNDLE_AGAIN = "copy-bundle-again"
    EXPORT_WHOLE_BUNDLE = "export-whole-bundle"
    EXPORT_BUNDLE_ELSEWHERE = "export-bundle-elsewhere"
    EXPORT_BUNDLE_WITH_TICKET = "export-bundle-with-ticket"
    GIVE_BUNDLE = "give-bundle"

    # This computer: its key, and automatic sync
    RESTORE_KEY_FILE = "restore-key-file"
    PROTECT_KEY_FILE = "protect-key-file"
    UNLOCK_KEYRING = "unlock-keyring"
    START_AUTOSYNC = "start-autosync"
    TURN_ON_AUTOSYNC = "turn-on-autosync"
    SEE_AUTOSYNC_FAULT = "see-autosync-fault"
    PUT_LIBRARY_BACK = "put-library-back"
    RUN_DOCTOR = "run-doctor"
    REPAIR_LIBRARY = "repair-library"

    # The relay's own start
    CHOOSE_PORT = "choose-port"
    #: Programs that know one port only do not find another one.
    FREE_PORT = "free-port"
    CHOOSE_USER_PORT = "choose-user-port"
    CHOOSE_ADDRESS = "choose-address"
    CHOOSE_RELAY_FOLDER = "choose-relay-folder"
    STOP_OTHER_RELAY = "stop-other-relay"
    CHECK_RELAY_DISK = "check-relay-disk"
    MOVE_RELAY_DATA = "move-relay-data"
    GIVE_RELAY_HOST = "give-relay-host"
    GIVE_SIZE = "give-size"
    LIST_RELAY_LIBRARIES = "list-relay-libraries"
    LIST_RELAY_TOKENS = "list-relay-tokens"


#: The facts of each step that has some, by name.
FACTS: Mapping[Next, frozenset[str]] = {
    step: frozenset(names.split())
    for step, names in {
        Next.ADVICE: "text",
        Next.MOVE_LIBRARY: "path",
        Next.RESTORE_REFERENCE: "ref",
        Next.SHOW_REFERENCE: "ref",
        Next.LIST_NOTES: "ref kind",
        Next.CHOOSE_FIELD: "suggestion example",
        Next.SET_OR_CLEAR_FIELD: "field",
        Next.KEEP_OR_DELETE: "ref",
        Next.CONFIRM_DELETIONS: "time",
        Next.LIST_GROUP_REFERENCES: "group",
        Next.CHANGE_GROUP_QUERY: "group",
        Next.CHOOSE_OTHER_KEY: "ref",
        Next.UNPIN_KEY: "key",
        Next.LIST_STYLES: "suggestions",
        Next.CHOOSE_FILE_NAME: "names",
        Next.ASK_AUTHOR: "device",
        Next.ASK_FOR_DRAFT: "device",
        Next.SYNC_OTHER_COMPUTER: "device",
        Next.REPLACE_FILE: "path",
        Next.CHOOSE_FORMAT: "formats",
        Next.EXPORT_FILE: "ref file",
        Next.KEEP_CHANGED_COPY: "ref path",
        Next.SHOW_HISTORY: "ref",
        Next.ASK_OWNER: "owners",
        Next.ATTACH_TO_KNOWN: "url",
        Next.PROTECT_KEY_FILE: "path",
        Next.START_AUTOSYNC: "path",
        Next.SEE_AUTOSYNC_FAULT: "log",
        Next.PUT_LIBRARY_BACK: "path",
    }.items()
}


class NextStep:
    """What can be done, and the facts that a sentence about it needs; a value, never changed.

    No dataclass: results that hold one become JSON in the words of a front end.
    """

    __slots__ = ("code", "facts")

    def __init__(self, code: Next, facts: Mapping[str, Fact] | None = None) -> None:
        facts = facts or {}
        expected = FACTS.get(code, frozenset())
        if facts.keys() != expected:
            raise TypeError(f"{code} takes the facts {sorted(expected)}, not {sorted(facts)}")
        self.code = code
        self.facts = facts

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, NextStep):
            return NotImplemented
        return (self.code, dict(self.facts)) == (other.code, dict(other.facts))

    def __hash__(self) -> int:
        return hash((self.code, *sorted(self.facts)))

    def __repr__(self) -> str:
        named = ", ".join(f"{name}={fact!r}" for name, fact in self.facts.items())
        return f"{self.code}({named})"

    def __str__(self) -> str:
        """The advice, where it is in plain words; otherwise the code with its facts."""
        return str(self.facts["text"]) if self.code is Next.ADVICE else repr(self)


def next_step(code: Next, **facts: Fact) -> NextStep:
    """A next step with its facts by name."""
    return NextStep(code, facts)


def as_next_step(step: NextStep | Next | str | None) -> NextStep | None:
    """A step from how it is written where an error is raised: a code without facts is a step, a
    text is advice, and an empty one is none."""
    if isinstance(step, Next):
        return NextStep(step)
    if isinstance(step, str):
        return NextStep(Next.ADVICE, {"text": step}) if step else None
    return step


def to_plain(step: NextStep | None) -> list[object] | None:
    """A step as plain values, to be stored."""
    if step is None:
        return None
    facts = {
        name: list(fact) if isinstance(fact, tuple) else fact for name, fact in step.facts.items()
    }
    return [str(step.code), facts]


def from_plain(value: object) -> NextStep | None:
    """A stored step; one that this version does not know, or a text of an earlier version, is
    advice as it is there."""
    if isinstance(value, str):
        return as_next_step(value)
    if not isinstance(value, list) or len(value) != 2 or not isinstance(value[1], dict):
        return None
    code, facts = value
    read = {
        str(name): tuple(map(str, fact)) if isinstance(fact, list) else fact
        for name, fact in facts.items()
        if isinstance(fact, list | str | int)
    }
    try:
        return NextStep(Next(code), read)
    except (TypeError, ValueError):
        return as_next_step(str(code))
