"""What to do next, in the words of the command line: one sentence or two for each ``Next``.

The engine and the relay say what can be done as a code with facts; the commands that do it are
named here and nowhere else. A test finds that every code has its words, and that the words use
the code's facts.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from typing import Any

from bifolio.errors import Next, NextStep
from bifolio_relay.next_steps import WORDS as RELAY_WORDS

_SHELL_WORD = frozenset({"ref", "key", "group", "path", "file"})


def word(step: NextStep) -> str:
    """The sentence for a next step."""
    facts = {
        name: shlex.quote(str(fact)) if name in _SHELL_WORD else fact
        for name, fact in step.facts.items()
    }
    words = WORDS[step.code]
    return words if isinstance(words, str) else words(**facts)


def word_of(step: NextStep | None) -> str:
    """The sentence for a next step, empty where there is none."""
    return "" if step is None else word(step)


def _choose_field(*, suggestion: str, example: str) -> str:
    advice = f"Did you mean '{suggestion}'? " if suggestion else ""
    return f"{advice}The name of a field of your own begins with x., for example {example}."


def _list_styles(*, suggestions: tuple[str, ...]) -> str:
    advice = f"Did you mean {' or '.join(suggestions)}? " if suggestions else ""
    return f"{advice}List the styles with 'bifolio cite --styles WORD', or name a .csl file."


def _choose_file_name(*, names: tuple[str, ...]) -> str:
    return f"Give one of these names: {', '.join(names)}." if names else "It has no files."


def _ask_owner(*, owners: tuple[str, ...]) -> str:
    return f"Run the command on {' or '.join(owners) or 'the computer that made the library'}."


def _choose_format(*, formats: tuple[str, ...]) -> str:
    return f"Choose one of {', '.join(formats)} with --format."


def _filled(template: str) -> Callable[..., str]:
    """The words with the facts in their places."""

    def fill(**facts: Any) -> str:
        return template.format(**facts)

    return fill


_ATTACH_HERE = "run 'bifolio attach TICKET' here"
_TICKET = f"for a ticket ('bifolio invite' on a computer that is attached) and {_ATTACH_HERE}."

#: The words of each step: a sentence, or a function that makes it from the facts.
WORDS: Mapping[Next, str | Callable[..., str]] = {
    Next.ADVICE: _filled("{text}"),
    Next.WAIT: "Nothing to do: Bifolio tries again by itself.",
    Next.FREE_PORT: "Close that program, or give another port with --port; programs that only know "
    "Zotero's port do not find that one.",
    Next.CHOOSE_USER_PORT: "Give one from 1024 to 65535 with --port.",
    Next.REPORT_FAULT: "This is a fault of Bifolio. Report it with this sentence; nothing was "
    "lost.",
    Next.UPGRADE_THEN_SYNC: "Upgrade Bifolio on this computer (python3 -m pip install --upgrade "
    "bifolio), then run 'bifolio sync': all of it is merged then.",
    # Libraries and backups
    Next.CREATE_LIBRARY: "Create one with 'bifolio init', or name an existing one with -L: "
    "'bifolio libraries' lists those of this computer.",
    Next.CHOOSE_NEW_PATH: "Name a path that does not exist yet.",
    Next.MAKE_WRITABLE: "Give yourself the right to read and write there, or copy the library to "
    "a disk that you can write to.",
    Next.WAIT_FOR_OTHER_PROGRAM: "Wait until the other program has finished, then try again.",
    Next.FREE_DISK_SPACE: "Free some space and try again.",
    Next.CHECK_DISK: "Check the disk, then run the command again.",
    Next.REPLACE_LIBRARY: "Keep the folder as it is. Make a new replica next to it with a ticket "
    "from another computer ('bifolio invite' there), or restore a backup ('bifolio backup list').",
    Next.SWEEP_LEFTOVERS: "Remove it, which loses nothing: bifolio doctor --repair",
    Next.FIND_LOST_EDITS: "Put library.sqlite-wal back if you have it, or run 'bifolio sync', and "
    "make again what is missing. 'bifolio doctor --repair' ends this notice.",
    Next.OPEN_LIBRARY_AGAIN: "Check that the right library is in that place, then run the command "
    "again.",
    Next.FREE_TEMPORARY_SPACE: "Free some space in the temporary folder, or name another one in "
    "TMPDIR, and try again.",
    Next.CHOOSE_OTHER_LIBRARY: "Name another library with --to PATH.",
    Next.MOVE_LIBRARY: _filled(
        "Move {path} out of that folder, use it there with -L PATH, and let Bifolio synchronize it."
    ),
    Next.KEEP_MEDIA_CONNECTED: "Remove it only when no bifolio command is running. A replica on "
    "the computer's own disk is safer.",
    Next.REBUILD_INDEX: "Rebuild what lists and searches read, which changes no reference: "
    "bifolio doctor --rebuild",
    Next.LIST_BACKUPS: "List the backups of this computer with 'bifolio backup list'.",
    Next.REPLACE_BACKUP: "Copy it again from where it was kept, or use another one: 'bifolio "
    "backup list --verify' shows which are whole.",
    Next.CHOOSE_BACKUP_PATH: "Name a file that does not exist yet, or a folder.",
    # References, groups, tags and keys
    Next.FIND_REFERENCE: "Find it with 'bifolio search WORDS'; 'bifolio list --trash' shows the "
    "deleted ones.",
    Next.SHOW_REFERENCE: _filled(
        "'bifolio show {ref}' shows what it holds; a name must be given whole."
    ),
    Next.RESTORE_REFERENCE: _filled("Run 'bifolio restore {ref}' first."),
    Next.GIVE_LONGER_ID: "Give more characters of the id.",
    Next.CHOOSE_FIELD: _choose_field,
    Next.SET_OR_CLEAR_FIELD: _filled("Write {field}=VALUE to set it, {field}= to clear it."),
    Next.LIST_NOTES: _filled("'bifolio {kind} list {ref}' shows those that it has."),
    Next.LIST_CONFLICTS: "Run 'bifolio conflicts' and choose from what it lists.",
    Next.KEEP_OR_DELETE: _filled(
        "'bifolio restore {ref}' keeps it, 'bifolio delete {ref}' deletes it."
    ),
    Next.CONFIRM_DELETIONS: _filled(
        "'bifolio trash confirm' deletes them here too; 'bifolio restore --at {time}' brings them "
        "back on every computer, 'bifolio restore REF' one of them."
    ),
    Next.SHORTEN_TEXT: "Shorten the text, or keep it in a file of its own.",
    Next.LIST_DUPLICATES: "'bifolio duplicates' shows which references are likely one work.",
    Next.LIST_GROUPS: "List the groups with 'bifolio group list', the deleted ones with --trash.",
    Next.GIVE_GROUP_PATH: "Give the group's path, or its id.",
    Next.GIVE_GROUP_ID: "Give the group's id.",
    Next.LIST_GROUP_REFERENCES: _filled("List its references with: bifolio list --group {group}"),
    Next.CHANGE_GROUP_QUERY: _filled(
        "Make a group without a query, or change the query: bifolio group edit {group} --query Q"
    ),
    Next.CREATE_SMART_GROUP: "Make a smart group with 'bifolio group create NAME --query Q'.",
    Next.LIST_TAGS: "List the tags with 'bifolio tag list'.",
    Next.CHOOSE_OTHER_KEY: _filled(
        "Choose another key, or look at that one: 'bifolio show {ref}'."
    ),
    Next.UNPIN_KEY: _filled("Run 'bifolio key unpin {key}' first."),
    Next.CHOOSE_QUERY_OR_TRASH: "Give one of --query Q and --trash.",
    Next.LIST_STYLES: _list_styles,
    Next.INSTALL_CITATIONS: "Install them with: python3 -m pip install 'bifolio[cite]'",
    # Attached files and files to import
    Next.ADD_OR_REMOVE_FILE: "Attach a file with 'bifolio file add REF PATH', remove one with "
    "'bifolio file remove REF NAME'.",
    Next.CHOOSE_READABLE_FILE: "Give the path of a file that you may read.",
    Next.RENAME_FILE: "Give the file a name of ordinary characters, at most 255 bytes long.",
    Next.KEEP_FILE_ELSEWHERE: "Keep it elsewhere and note its place in the reference.",
    Next.CHOOSE_FILE_NAME: _choose_file_name,
    Next.FETCH_FILE: "Fetch it with 'bifolio sync', or with --fetch.",
    Next.ATTACH_FILE_AGAIN: "Attach it again, or take it from a backup ('bifolio backup list').",
    Next.SYNC_WHERE_FILE_IS_WHOLE: "Bifolio asks for it again later. Run 'bifolio sync' on a "
    "computer that has it whole; then sync here.",
    Next.SYNC_OTHER_COMPUTER: _filled("Run 'bifolio sync' on {device}; then sync here."),
    Next.SYNC_IMPORTING_COMPUTER: "Run 'bifolio sync' on the computer that imported it; then sync "
    "here.",
    Next.FETCH_FILE_AGAIN: "Run 'bifolio sync' to fetch it again from the relay.",
    Next.CHOOSE_OUTPUT_PATH: "Name another place with -o PATH.",
    Next.EXPORT_FILE: _filled(
        "If you trust who attached it, write it to a place of your own: bifolio file export {ref} "
        "{file} -o PATH"
    ),
    Next.OPEN_BY_PATH: "Open it by its path, or write it elsewhere with 'bifolio file export'.",
    Next.LIST_FILES: "'bifolio file list' lists them.",
    Next.KEEP_CHANGED_COPY: _filled(
        "Attach it as the new version: bifolio file add {ref} {path}. To drop it, delete that file."
    ),
    Next.CHECK_FILES: "Check them with: bifolio doctor --files",
    Next.REPLACE_FILE: _filled(
        "Take the file from a backup, or move {path} away: then Bifolio fetches it again."
    ),
    Next.EXPORT_FILE_AGAIN: "Export the file again from the program it came from, or name its "
    "format with --format.",
    Next.CHOOSE_ZOTERO_GROUP: "Name one of those with --zotero-group NAME, or leave the option "
    "out.",
    Next.LEAVE_OUT_ZOTERO_GROUP: "Name the Zotero library alone, or leave --zotero-group out.",
    Next.CHOOSE_FORMAT: _choose_format,
    Next.NAME_CHARACTER_SET: "Name the file's character set with --encoding, for example "
    "windows-1251, koi8-r, mac-roman, euc-kr, shift_jis or big5.",
    Next.LEAVE_OUT_FORMAT: "Name another --format, or leave it out: the file's content shows it.",
    # History
    Next.LEAVE_OR_SHOW_LOG: "'bifolio leave' ends the membership of this computer, if joining was "
    "a mistake; 'bifolio log' lists what was changed, also by others.",
    Next.SHOW_LOG: "'bifolio log' lists what was changed, also by others; 'bifolio undo ID' undoes "
    "one of them.",
    Next.SHOW_HISTORY: _filled("'bifolio history {ref}' shows what was there, and when."),
    Next.FIND_CHANGE: "Find the ids with 'bifolio log' or 'bifolio history REF'.",
    # Sharing
    Next.RUN_SYNC: "Run 'bifolio sync'.",
    Next.RUN_SYNC_AGAIN: "Run 'bifolio sync' again: the library's key was changed.",
    Next.RUN_SYNC_LATER: "Wait a minute, then run 'bifolio sync'.",
    Next.RUN_SYNC_ON_BOTH: "Run 'bifolio sync', here and on the computer that wrote them.",
    Next.SYNC_TICKET_MAKER: "Run 'bifolio sync' on the computer that made the ticket; then sync "
    "here again.",
    Next.SYNC_TICKET_MAKER_IF_MISSING: "If anything is missing here, run 'bifolio sync' on the "
    "computer that made the ticket; then sync here again.",
    Next.SYNC_LIBRARY_HOLDER: "Run 'bifolio sync' on a computer that holds the library, which "
    "gives it back to the relay; then try again here.",
    Next.SYNC_ANOTHER_WRITER: "Run 'bifolio sync' on a computer that has the library and may edit "
    "it: it compares the snapshot, or makes another one. Then run 'bifolio sync' here.",
    Next.SEE_STATUS_THEN_SYNC: "'bifolio status' shows what is not sent yet; then run 'bifolio "
    "sync'.",
    Next.CHECK_CONNECTION: "Check the address and the network, and that the relay is running; "
    "then run 'bifolio sync'.",
    Next.COMMAND_AGAIN: "Check the address and the network, and that the relay is running; then "
    "run the same command again.",
    Next.CHECK_RELAY: "Check the address and the network, and that the relay is running.",
    Next.TRUST_CERTIFICATE: "Set SSL_CERT_FILE to the file of its CA, or install the CA on this "
    "computer; then try again.",
    Next.ATTACH_AT_NEW_ADDRESS: "Ask whoever runs the relay whether it has moved. If it has, run "
    "'bifolio attach RELAY_URL' with the address that they give you.",
    Next.ATTACH_AGAIN: "Nothing was changed. Check the address and the network, and that the "
    "relay is running; then run the same command again.",
    Next.ATTACH_ELSEWHERE: "Nothing was changed. Ask whoever runs the relay, or choose another "
    "one; then attach again.",
    Next.ATTACH_FIRST: "Run 'bifolio attach RELAY_URL' on the first computer, or 'bifolio attach "
    "TICKET' with a ticket from another one. Without a relay: 'bifolio invite --bundle FILE'.",
    Next.ATTACH_NEW_PATH: "Make a new replica at another path: bifolio attach TICKET PATH",
    Next.ATTACH_TO_KNOWN: _filled("Run 'bifolio attach {url}' to be on it again."),
    Next.ATTACH_WITH_TICKET: "Attach this computer to the library with a ticket ('bifolio attach "
    "TICKET'), then try again.",
    Next.ASK_FOR_TICKET: f"Ask {_TICKET}",
    Next.INVITE_AGAIN: "Make a ticket for it ('bifolio invite'), join with that there, and run "
    "'bifolio sync' there and then here.",
    Next.TYPE_RECOVERY_CODE_AGAIN: "Type it again as 'bifolio recovery create' printed it: eight "
    "groups of seven letters and digits.",
    Next.RECOVER_BY_BACKUP: "If a computer that holds the library is left, 'bifolio sync' there "
    "gives it back to the relay. Otherwise use a backup: 'bifolio backup restore FILE PATH', then "
    "'bifolio -L PATH recovery use' without --relay.",
    Next.USE_LATEST_CODE: "Only the code that was made last is good: use that one. If an owner's "
    "computer still works, a ticket from there ('bifolio invite --own') does the same.",
    Next.USE_CODE_OF_BACKUP: "Use the code that was good when the backup was made, or a backup "
    "from after the code was made; or name a relay that holds the library with --relay RELAY_URL.",
    Next.CHOOSE_LIBRARY_OF_CODE: "Name the library that the code is for with -L, or make a new "
    "replica of it: bifolio recovery use PATH --relay RELAY_URL",
    Next.LIST_MEMBERS: "'bifolio members' lists them, with their ids.",
    Next.LIST_INVITES: "'bifolio invites' lists them, with their ids.",
    Next.MAKE_ANOTHER_OWNER: "Make another computer an owner first: 'bifolio invite --own' for one "
    "of your own, or 'bifolio member set-role NAME owner'.",
    Next.SECURE_OWNERSHIP: "Make another computer of yours an owner ('bifolio invite --own'), or "
    "keep a recovery code ('bifolio recovery create').",
    Next.EXPORT_DRAFT: "'bifolio draft' lists those edits, and 'bifolio draft export FILE' writes "
    "them for an owner. To be let in again, ask an owner for a ticket.",
    Next.EXPORT_DRAFT_OR_ASK: "'bifolio draft' lists those edits, and 'bifolio draft export FILE' "
    "writes them for an owner. Once an owner makes this computer an editor, a sync sends them.",
    Next.CHOOSE_DRAFT: "Name a file that 'bifolio draft export' wrote for this library, whole.",
    Next.SYNC_THEN_OPEN_DRAFT: "Run 'bifolio sync' first: this computer may not have heard of that "
    "member, or of the key, yet.",
    Next.CHOOSE_OTHER_NAME: "Give it another name.",
    Next.ATTACH_AGAIN_OR_DETACH: "'bifolio attach RELAY_URL' brings it there again, or to another "
    "relay; 'bifolio detach' leaves it on this computer alone.",
    Next.GIVE_PASSPHRASE: "Ask whoever made the ticket for its passphrase, run 'bifolio attach' "
    "again and type it when it is asked for.",
    Next.ROTATE_AGAIN: "Run 'bifolio device rotate' to finish. If that does not help, somebody "
    "else has used this computer's old keys: ask an owner to remove this computer, and for a new "
    "ticket.",
    Next.LEAVE_OR_REMOVE_ELSEWHERE: "'bifolio leave' ends the membership of this computer; another "
    "owner can remove it too.",
    Next.CHOOSE_ONE_TICKET: "Give one of them alone.",
    Next.SEE_STATUS: "'bifolio status' shows what is not sent yet, and why.",
    Next.COPY_TO_OWN_LIBRARY: "Copy the reference into a library of your own ('bifolio copy REF "
    "--to PATH'), or ask an owner to make you an editor.",
    Next.UPGRADE_RELAY: "Ask whoever runs the relay to upgrade it. Your edits are kept here.",
    Next.JOIN_NEW_LIBRARY: "Make a new library ('bifolio init'), attach it to a relay, run "
    "'bifolio invite' there, and attach this one to it with the ticket ('bifolio attach "
    "TICKET'): its references go along.",
    Next.SYNC_OR_ASK_FOR_TICKET: f"Run 'bifolio sync'. If that does not help, ask {_TICKET}",
    Next.COPY_TICKET_AGAIN: "Copy the ticket again, all of it; it begins with 'bifolio:'. "
    "'bifolio invite' on the other computer prints a new one.",
    Next.ASK_FOR_DRAFT: _filled(
        "All other changes are in. That computer was removed, or may only read; 'bifolio draft "
        "export FILE' on {device} makes a file of its edits, which an owner can accept."
    ),
    Next.ASK_AUTHOR: _filled(
        "All other changes are in. Ask who uses {device}: upgrade Bifolio there; if it goes on, an "
        "owner should remove that computer."
    ),
    Next.GIVE_RELAY_TOKEN: "Ask whoever runs the relay for a token, then run 'bifolio attach "
    "RELAY_URL --token TOKEN'.",
    Next.COPY_RELAY_TOKEN_AGAIN: "Copy the token again, the whole line that 'bifolio relay token "
    "create' printed.",
    Next.ASK_OWNER: _ask_owner,
    Next.ASK_FOR_ROOM: "Ask whoever runs the relay for more room ('bifolio relay --quota'), or "
    "remove files; then run 'bifolio sync'. 'bifolio file list' lists them.",
    Next.COMPARE_STATES: "Run 'bifolio sync' and 'bifolio status' on both: where the state lines "
    "differ, attach the library to another relay ('bifolio attach ADDRESS'), and both get all.",
    Next.TELL_RELAY_OPERATOR: "If it happens again, tell whoever runs the relay.",
    Next.CHECK_VERSIONS: "Check that the address is that of a Bifolio relay, and that both have "
    "the same version.",
    Next.SET_CLOCK: "Set this computer's clock, best by the network. No edit is lost or refused "
    "because of it.",
    Next.SET_CLOCK_OF_OTHER: "No edit was refused. Set the clock of that computer.",
    Next.ADD_AS_NEW_REFERENCE: "Add what it says as a new, shorter reference.",
    Next.KEEP_AND_REPORT: "The other references are not affected. Keep the library, and report "
    "this.",
    # Bundles
    Next.CHOOSE_BUNDLE: "Name a file that 'bifolio bundle export' wrote for this library.",
    Next.CHOOSE_BUNDLE_PATH: "Name another file, or a folder that you can write to.",
    Next.COPY_BUNDLE_AGAIN: "Wait until it is copied or synchronized completely, or copy it again "
    "from where it was made; then import it again.",
    Next.EXPORT_WHOLE_BUNDLE: "Import the earlier bundles too, in any order, or ask for a whole "
    "one: 'bifolio bundle export FILE' without --since on the computer that made it.",
    Next.EXPORT_BUNDLE_ELSEWHERE: "Export it on the computer that the library was made on, or on "
    "another one that has its whole history; or export a bundle on the computer that this one is "
    "for, and name that here: 'bifolio bundle export FILE --since BUNDLE'.",
    Next.EXPORT_BUNDLE_WITH_TICKET: "Run 'bifolio invite --bundle FILE' on a computer that holds "
    "the library, and use its ticket with that bundle.",
    Next.GIVE_BUNDLE: "Give the bundle that came with it: bifolio attach TICKET PATH --bundle FILE",
    # This computer
    Next.RESTORE_KEY_FILE: "Restore the file from a backup of your home folder. Without it, this "
    "computer needs a new ticket ('bifolio invite' on another one).",
    Next.PROTECT_KEY_FILE: _filled(
        "Run 'chmod 600 {path}'. If somebody may have read it, make a new device: move the file "
        "away and attach again with a ticket."
    ),
    Next.UNLOCK_KEYRING: "Unlock the keyring, or run this in your desktop's session.",
    Next.START_AUTOSYNC: _filled("Start it: bifolio -L {path} autosync on"),
    Next.TURN_ON_AUTOSYNC: "'bifolio autosync on' turns it on.",
    Next.SEE_AUTOSYNC_FAULT: _filled(
        "Run 'bifolio autosync run' to see it in the foreground; its log is {log}."
    ),
    Next.PUT_LIBRARY_BACK: _filled(
        "Put the library back, and its sync goes on. If you moved it, run 'bifolio -L {path} "
        "autosync off', then 'bifolio -L NEW_PATH autosync on'."
    ),
    Next.REPAIR_LIBRARY: "Mend it from what is whole, which keeps what is damaged: "
    "bifolio doctor --repair",
    Next.RUN_DOCTOR: "Bifolio tries again by itself. What was saved is safe; run 'bifolio doctor', "
    "and report this.",
    # The relay's own start: the same options are bifolio-relay's
    **RELAY_WORDS,
}
