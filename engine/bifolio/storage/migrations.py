"""The schema of ``library.sqlite``, as numbered steps; ``user_version`` tells how far a file is.

A step is frozen: it is never changed, and calls no code that lives on; the next one is added, in
``later_migrations``. It makes tables and keeps what cannot be derived; what can be is derived again
by the replica where ``meta``'s ``derived_version`` says that a file's is older than the code's.
"""

from __future__ import annotations

import json
import sqlite3
import unicodedata
from collections.abc import Callable

from bifolio.storage.later_migrations import LATER_STEPS


def migrate(connection: sqlite3.Connection, *, through: int | None = None) -> None:
    """Bring a file to a schema, the latest one, each step in a transaction of its own."""
    # Loaded here, because it takes 0.14 s and only a new or an older file needs it.
    from sqlite_utils import Database as Tables

    tables = Tables(connection, execute_plugins=False)
    latest = LATEST if through is None else through
    version = 0
    while version < latest:
        connection.execute("BEGIN IMMEDIATE")
        try:
            # Read inside the transaction: another process may have made the step just now.
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version < latest:
                _STEPS[version](tables)
                version += 1
                connection.execute(f"PRAGMA user_version = {version}")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")


def _create(tables: object) -> None:
    from sqlite_utils import Database as Tables

    assert isinstance(tables, Tables)
    tables.table("meta").create({"key": str, "value": bytes}, pk="key")
    tables.table("incarnations").create({"slot": str, "client_id": int}, pk="slot")
    tables.table("members").create(
        {"number": int, "hash": bytes, "record": bytes}, pk="number", not_null={"hash", "record"}
    )
    tables.table("content_keys").create({"generation": int, "sealed": bytes}, pk="generation")
    tables.table("records").create(
        {"number": int, "id": str, "kind": str, "state": bytes, "hash": bytes},
        pk="number",
        not_null={"id", "kind", "state", "hash"},
    ).create_index(["id"], unique=True)
    _create_changes(tables)
    _create_references(tables)
    tables.table("offers").create({"record": str, "remote": bytes}, pk="record")
    tables.table("set_aside").create(
        {"number": int, "record": str, "contents": bytes, "reason": str}, pk="number"
    ).create_index(["record"])
    tables.table("listings").create(
        {"record": str, "field": str, "listed": bytes}, pk=("record", "field")
    )


def _create_changes(tables: object) -> None:
    from sqlite_utils import Database as Tables

    assert isinstance(tables, Tables)
    changes = tables.table("changes").create(
        {
            "number": int,  # the order of this replica; causal
            "hash": bytes,  # the envelope's; null while the change is unsealed
            "chain": bytes,
            "seq": int,
            "position": int,  # in the relay's log; null while not acknowledged
            "own": int,
            "count": int,  # how many changes are inside
            "frontier": bytes,
            "body": bytes,  # unsealed: the change; sealed: the envelope as on the wire
        },
        pk="number",
        not_null={"own", "count", "body"},
    )
    changes.create_index(["hash"], unique=True)
    changes.create_index(["position"])
    changes.create_index(["chain", "seq"])
    tables.table("pending").create({"hash": bytes, "position": int, "envelope": bytes}, pk="hash")
    tables.table("refused").create({"hash": bytes, "envelope": bytes, "reason": str}, pk="hash")


def _create_references(tables: object) -> None:
    from sqlite_utils import Database as Tables

    assert isinstance(tables, Tables)
    columns: dict[str, type] = dict.fromkeys(
        ("id", "key", "key_rank", "type", *_TEXT_COLUMNS, "fields"), str
    )
    references = tables.table("refs").create(
        {"number": int, **columns, "year": int, "trashed": int, "conflicts": int},
        pk="number",
        not_null={"id", "trashed", "conflicts"},
    )
    references.create_index(["id"], unique=True)
    references.create_index(["key", "key_rank"])
    references.create_index(["trashed", "id"])
    references.create_index(["conflicts"])
    references.enable_fts(
        [*_TEXT_COLUMNS],
        fts_version="FTS5",
        tokenize="unicode61 remove_diacritics 2",
    )
    sources = tables.table("sources").create(
        {"record": str, "format": str, "source_id": str, "content": bytes, "blocks": str}
    )
    sources.create_index(["format", "source_id"])
    sources.create_index(["record"])


def _add_replacements(tables: object) -> None:
    from sqlite_utils import Database as Tables

    assert isinstance(tables, Tables)
    # Envelopes that a relay refused, and the merged ones that carry their changes instead.
    tables.table("replacements").create({"hash": bytes, "by": bytes}, pk=("hash", "by"))


def _add_groups(tables: object) -> None:
    from sqlite_utils import Database as Tables

    assert isinstance(tables, Tables)
    texts: dict[str, type] = dict.fromkeys(
        ("id", "name", "parent", "parent_rank", "position", "colour", "query"), str
    )
    tables.table("groups").create({**texts, "deleted": int}, pk="id", not_null={"name", "deleted"})
    elements = tables.table("elements").create(
        {"field": str, "element": str, "reference": str, "trashed": int},
        not_null={"field", "element", "reference", "trashed"},
    )
    elements.create_index(["field", "trashed", "element", "reference"], unique=True)
    elements.create_index(["reference"])
    # What the references of an older file hold; it knew of no groups.
    for reference, fields, trashed in tables.conn.execute(
        "SELECT id, fields, trashed FROM refs WHERE tags != ''"
    ).fetchall():
        tags = {unicodedata.normalize("NFC", str(tag)) for tag in json.loads(fields)["tags"]}
        tables.conn.executemany(
            "INSERT INTO elements (field, element, reference, trashed) VALUES ('tags', ?, ?, ?)",
            [(tag, reference, trashed) for tag in sorted(tags)],
        )


def _add_aliases(tables: object) -> None:
    from sqlite_utils import Database as Tables

    assert isinstance(tables, Tables)
    field = "citation-key-aliases"
    for reference, fields, trashed in tables.conn.execute(
        "SELECT id, fields, trashed FROM refs WHERE fields LIKE '%\"citation-key-aliases\"%'"
    ).fetchall():
        aliases = {unicodedata.normalize("NFC", str(one)) for one in json.loads(fields)[field]}
        tables.conn.executemany(
            "INSERT INTO elements (field, element, reference, trashed) VALUES (?, ?, ?, ?)",
            [(field, alias, reference, trashed) for alias in sorted(aliases)],
        )


def _add_attachments(tables: object) -> None:
    from sqlite_utils import Database as Tables

    assert isinstance(tables, Tables)
    # Empty in an older file: its references could have no files.
    attachments = tables.table("attachments").create(
        {"reference": str, "hash": str, "name": str, "size": int, "stamp": str, "slot": str},
        not_null={"reference", "hash", "name", "size", "stamp", "slot"},
    )
    attachments.create_index(["hash", "reference", "name"], unique=True)
    attachments.create_index(["reference"])


def _add_index(tables: object) -> None:
    from sqlite_utils import Database as Tables

    assert isinstance(tables, Tables)
    for table in ("refs_fts", "orders"):
        tables.conn.execute(f"DROP TABLE IF EXISTS {table}")
    tables.conn.execute(
        "CREATE VIRTUAL TABLE refs_fts USING fts5(title, author, editor, creators, container, "
        "abstract, note, tags, marks, tokenize='ascii', prefix='1 2')"
    )
    tables.conn.execute(
        "CREATE TABLE orders (number INTEGER PRIMARY KEY, id TEXT NOT NULL, "
        "trashed INTEGER NOT NULL, year INTEGER, title TEXT NOT NULL, author TEXT NOT NULL, "
        "key TEXT NOT NULL)"
    )


def _add_shared_keys(tables: object) -> None:
    from sqlite_utils import Database as Tables

    assert isinstance(tables, Tables)
    tables.table("shared_keys").create({"key": str}, pk="key")
    tables.conn.execute(
        "INSERT INTO shared_keys (key) SELECT key FROM refs WHERE key != '' AND trashed = 0 "
        "GROUP BY key HAVING count(*) > 1"
    )


def _add_purged(tables: object) -> None:
    from sqlite_utils import Database as Tables

    assert isinstance(tables, Tables)
    # Empty in an older file: its trash could not be emptied.
    tables.table("purged").create(
        {"id": str, "key": str, "title": str}, pk="id", not_null={"key", "title"}
    ).create_index(["key"])


def _add_transfers(tables: object) -> None:
    from sqlite_utils import Database as Tables

    assert isinstance(tables, Tables)
    flags: dict[str, type] = dict.fromkeys(("here", "on_relay", "asked", "failures"), int)
    transfers = tables.table("transfers").create(
        {"hash": str, **flags, "refused": str, "not_before_ms": int, "unnamed_since_ms": int},
        pk="hash",
        defaults=dict.fromkeys(flags, 0) | {"refused": "", "not_before_ms": 0},
        not_null={*flags, "refused", "not_before_ms"},
    )
    transfers.create_index(["here"])
    transfers.create_index(["on_relay"])
    transfers.create_index(["unnamed_since_ms"])
    tables.conn.execute("INSERT INTO transfers (hash) SELECT DISTINCT hash FROM attachments")


def _add_history(tables: object) -> None:
    from sqlite_utils import Database as Tables

    assert isinstance(tables, Tables)
    history = tables.table("history").create(
        {
            "number": int,
            "change": int,  # the row of ``changes`` that holds it
            "place": int,  # among the changes of that envelope
            "id": bytes,
            "stamp": str,
            "device": str,  # the tag of its author's slots
            "records": int,  # how many it touched
        },
        pk="number",
        not_null={"change", "place", "id", "stamp", "device", "records"},
    )
    history.create_index(["change"])
    history.create_index(["id"])
    history.create_index(["stamp"])
    # By hand, because sqlite-utils makes no table without a rowid: half the size here.
    tables.conn.execute(
        "CREATE TABLE touches (record BLOB NOT NULL, entry INTEGER NOT NULL, "
        "PRIMARY KEY (record, entry)) WITHOUT ROWID"
    )
    tables.table("operations").create(
        {"number": int, "stamp": str, "words": str, "undoes": int, "undone": int},
        pk="number",
        not_null={"stamp"},
    )
    tables.table("operation_changes").create(
        {"number": int, "id": bytes, "operation": int}, pk="number", not_null={"id", "operation"}
    ).create_index(["id"], unique=True)
    tables.table("operation_changes").create_index(["operation"])
    # An older file's changes are sealed, and only the replica has the keys: it reads them the
    # first time that somebody asks for the past.
    if tables.conn.execute("SELECT 1 FROM changes LIMIT 1").fetchone():
        tables.conn.execute(
            "INSERT INTO meta (key, value) VALUES ('history_unread', ?)", (b"\xc3",)
        )


def _add_revived_groups(tables: object) -> None:
    from sqlite_utils import Database as Tables

    assert isinstance(tables, Tables)
    tables.table("groups").add_column("revived", int)


def _rename_what_waits(tables: object) -> None:
    from sqlite_utils import Database as Tables

    assert isinstance(tables, Tables)
    # The index first: SQLite keeps an index's name when its table gets another one.
    tables.conn.execute("DROP INDEX idx_set_aside_record")
    tables.conn.execute("ALTER TABLE set_aside RENAME TO quarantined_updates")
    tables.table("quarantined_updates").create_index(["record"])
    tables.conn.execute("ALTER TABLE offers RENAME TO join_offers")


def _note_what_is_derived(tables: object) -> None:
    from sqlite_utils import Database as Tables

    assert isinstance(tables, Tables)
    # The version before this step derived what version 1 of the derived tables is; only where an
    # earlier step dropped the index, or added a column, is anything missing.
    (missing,) = tables.conn.execute(
        "SELECT (SELECT count(*) FROM refs) != (SELECT count(*) FROM orders) "
        "OR EXISTS (SELECT 1 FROM groups WHERE revived IS NULL)"
    ).fetchone()
    if not missing:
        tables.conn.execute(
            "INSERT OR REPLACE INTO meta (key, value) VALUES ('derived_version', ?)", (b"\x01",)
        )


def _add_newer_envelopes(tables: object) -> None:
    from sqlite_utils import Database as Tables

    assert isinstance(tables, Tables)
    # Empty in an older file: it refused what it could not read.
    kept = tables.table("newer_envelopes").create(
        {
            "number": int,  # the order in which they came
            "hash": bytes,
            "chain": bytes,
            "position": int,  # in the relay's log; null while not acknowledged
            "needs": str,  # what a newer program can do; empty: it only builds on another one
            "kept_back": int,  # whether the relay does not continue its chain
            "formats": str,  # what the program could read that kept it
            "of_member": int,  # whether its author may write, by what is known
            "envelope": bytes,
        },
        pk="number",
        not_null={"hash", "chain", "needs", "kept_back", "formats", "of_member", "envelope"},
    )
    kept.create_index(["hash"], unique=True)


def _add_identity(tables: object) -> None:
    from sqlite_utils import Database as Tables

    assert isinstance(tables, Tables)
    # Null in an older file: what was written then is no longer sent to anybody.
    tables.table("incarnations").add_column("nonce", bytes)
    tables.table("changes").add_column("slot", str)  # of an own change that is not sealed yet
    # A join that an earlier version began offered what nobody takes any more.
    tables.conn.execute("DELETE FROM join_offers")
    tables.table("join_offers").add_column("own", bytes)


def _add_stories(tables: object) -> None:
    from sqlite_utils import Database as Tables

    assert isinstance(tables, Tables)
    # Empty in an older file: what it was told before is compared with nobody's.
    epochs = tables.table("log_epochs").create({"number": int, "id": bytes}, pk="number")
    epochs.create_index(["id"], unique=True)
    tables.conn.execute(
        "CREATE TABLE log_hashes (epoch INTEGER NOT NULL, position INTEGER NOT NULL, "
        "hash BLOB NOT NULL, PRIMARY KEY (epoch, position)) WITHOUT ROWID"
    )
    tables.table("heard").create(
        {"device": str, "stamp": str}, pk="device", not_null={"device", "stamp"}
    )


def _add_checks_on_receipt(tables: object) -> None:
    from sqlite_utils import Database as Tables

    assert isinstance(tables, Tables)
    # Of what an older file kept, nobody noted the author; all that waits is tried once more.
    for table in ("pending", "refused", "quarantined_updates", "replacements"):
        tables.table(table).add_column("device", bytes)  # the author's signing key
    pending = tables.table("pending")
    pending.add_column("size", int)  # what it counts for in its author's quota
    pending.add_column("epochs", int)  # how often the relay's log was lost since it came
    pending.create_index(["device", "size"])
    tables.table("waits_for").create(
        {"needed": bytes, "envelope": bytes, "of_members": int}, pk=("needed", "envelope")
    ).create_index(["envelope"])
    quarantined = tables.table("quarantined_updates")
    quarantined.add_column("envelope", bytes)  # the hash of the one that brought it
    quarantined.add_column("kind", str)
    quarantined.add_column("needs_client", int)  # of an incomplete one: whose struct it lacks,
    quarantined.add_column("needs_clock", int)  # and which
    quarantined.create_index(["record", "needs_client", "needs_clock"])
    quarantined.create_index(["device"])
    tables.table("refused").create_index(["device"])
    # Two envelopes that one device signed for one place of one chain.
    tables.table("double_envelopes").create(
        {"device": bytes, "chain": bytes, "seq": int, "first": bytes, "second": bytes},
        pk=("device", "chain", "seq"),
    )
    # Envelopes during whose merging a process ended, and how often.
    tables.table("fatal_envelopes").create(
        {"hash": bytes, "deaths": int, "device": bytes, "position": int, "envelope": bytes},
        pk="hash",
        not_null={"deaths"},
    )
    # Envelopes that another one carries whole: a relay need not have them by themselves.
    tables.table("carried_envelopes").create({"hash": bytes, "by": bytes}, pk="hash")


def _end_incarnations(tables: object) -> None:
    from sqlite_utils import Database as Tables

    assert isinstance(tables, Tables)
    # Whether an envelope declares it, so that others know its client id.
    tables.table("incarnations").add_column("sealed", int)
    # Merged envelopes that the removal of their author does not let count.
    tables.table("voided_envelopes").create({"hash": bytes}, pk="hash")


def _add_unconfirmed_deletions(tables: object) -> None:
    from sqlite_utils import Database as Tables

    assert isinstance(tables, Tables)
    tables.table("unconfirmed_deletions").create(
        {"record": str, "device": str, "stamp": str}, pk="record", not_null={"device", "stamp"}
    )


def _add_second_copies(tables: object) -> None:
    from sqlite_utils import Database as Tables

    assert isinstance(tables, Tables)
    # Null of what an older file holds, until it is written again: then nothing is compared.
    tables.table("records").add_column("state_check", bytes)
    # What no other table, and no other computer, has: a second copy of each row, with a third in
    # another form, so that two tell which one is damaged. SQLite keeps them, and its own check
    # compares them. Contents that have a hash are left out.
    transfers = "hash here on_relay asked failures refused not_before_ms unnamed_since_ms"
    newer = "number hash chain position needs kept_back formats of_member"
    quarantined = "number record reason device envelope kind needs_client needs_clock"
    for name, columns in (
        ("meta", "key value"),
        ("incarnations", "slot client_id nonce sealed"),
        ("members", "number hash record"),
        ("content_keys", "generation sealed"),
        ("changes", "number position own count slot"),
        ("join_offers", "record remote own"),
        ("listings", "record field listed"),
        ("transfers", transfers),
        ("operations", "number stamp words undoes undone"),
        ("operation_changes", "number id operation"),
        ("pending", "hash position device size epochs"),
        ("refused", "hash reason device"),
        ("newer_envelopes", newer),
        ("quarantined_updates", quarantined),
        ("replacements", "hash by device"),
        ("log_epochs", "number id"),
        ("heard", "device stamp"),
        ("waits_for", "needed envelope of_members"),
        ("double_envelopes", "device chain seq first second"),
        ("fatal_envelopes", "hash deaths device position"),
        ("carried_envelopes", "hash by"),
        ("voided_envelopes", "hash"),
    ):
        _add_copy(tables, f"copy_of_{name}", name, columns)
    # Of a sealed change the envelope tells it.
    _add_copy(tables, "copy_of_unsealed", "changes", "number frontier", "WHERE hash IS NULL")


def _add_underived(tables: object) -> None:
    from sqlite_utils import Database as Tables

    assert isinstance(tables, Tables)
    # References whose records are committed, and of which nothing is derived yet.
    tables.conn.execute(
        "CREATE TABLE underived (number INTEGER PRIMARY KEY, record TEXT NOT NULL UNIQUE)"
    )


def _add_copy(tables: object, index: str, table: str, columns: str, condition: str = "") -> None:
    from sqlite_utils import Database as Tables

    assert isinstance(tables, Tables)
    names = [f'"{one}"' for one in columns.split()]
    quoted = " || ',' || ".join(f"quote({one})" for one in names)
    tables.conn.execute(
        f"CREATE INDEX {index} ON {table} ({', '.join(names)}, {quoted}) {condition}".rstrip()
    )


def _add_copy_of_deletions(tables: object) -> None:
    # Which deletions of others wait for the user, no record tells.
    _add_copy(
        tables,
        "copy_of_unconfirmed_deletions",
        "unconfirmed_deletions",
        "record device stamp",
    )


def _add_snapshots(tables: object) -> None:
    from sqlite_utils import Database as Tables

    assert isinstance(tables, Tables)
    # Empty in an older file: it holds every change that it merged.
    execute = tables.conn.execute
    execute("CREATE TABLE covered (hash BLOB PRIMARY KEY, position INTEGER) WITHOUT ROWID")
    execute(
        "CREATE TABLE covered_chains (device BLOB NOT NULL, chain BLOB NOT NULL, "
        "seq INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (device, chain))"
    )
    execute("CREATE INDEX idx_covered_chains_hash ON covered_chains (hash)")
    execute(
        "CREATE TABLE declared (slot TEXT PRIMARY KEY, device BLOB NOT NULL, nonce BLOB NOT NULL)"
    )
    execute(
        "CREATE TABLE snapshot_chunks (snapshot BLOB NOT NULL, number INTEGER NOT NULL, "
        "sealed BLOB NOT NULL)"
    )
    execute("CREATE UNIQUE INDEX idx_snapshot_chunks_number ON snapshot_chunks (snapshot, number)")
    execute(
        "CREATE TABLE snapshot_bases (record TEXT PRIMARY KEY, state BLOB, after INTEGER, "
        "state_check BLOB)"
    )
    execute(
        "CREATE TABLE statements (device BLOB NOT NULL, replica BLOB NOT NULL, "
        "epoch BLOB NOT NULL, n INTEGER NOT NULL, said_ms INTEGER NOT NULL, "
        "heard_ms INTEGER NOT NULL, PRIMARY KEY (device, replica))"
    )
    # What is covered, the kept snapshot tells too.
    for name, columns in (
        ("covered_chains", "device chain seq hash"),
        ("declared", "slot device nonce"),
        ("snapshot_bases", "record after"),
        ("statements", "device replica epoch n said_ms heard_ms"),
    ):
        _add_copy(tables, f"copy_of_{name}", name, columns)


def _add_object_versions(tables: object) -> None:
    from sqlite_utils import Database as Tables

    assert isinstance(tables, Tables)
    tables.conn.execute(
        "CREATE TABLE object_versions (record TEXT PRIMARY KEY, version INTEGER NOT NULL, "
        "added TEXT NOT NULL, modified TEXT NOT NULL) WITHOUT ROWID"
    )
    tables.conn.execute(
        "INSERT INTO object_versions (record, version, added, modified) "
        "SELECT lower(hex(record)), max(entry), min(stamp), max(stamp) "
        "FROM touches JOIN history ON history.number = touches.entry GROUP BY record"
    )
    for name in ("version", "added", "modified"):
        tables.conn.execute(f"CREATE INDEX by_{name} ON object_versions ({name})")
    for columns in ("title, id", "author, year, title, id", "year, title, id", "key, id"):
        name = columns.partition(",")[0]
        tables.conn.execute(f"CREATE INDEX by_{name} ON orders (trashed, {columns})")
    # Empty until the library is served to programs that name things by such keys.
    tables.conn.execute(
        "CREATE TABLE short_keys (key TEXT PRIMARY KEY, record TEXT NOT NULL, "
        "part TEXT NOT NULL) WITHOUT ROWID"
    )
    tables.conn.execute("CREATE INDEX short_keys_of ON short_keys (record, part)")


def _drop_list_indexes(tables: object) -> None:
    from sqlite_utils import Database as Tables

    assert isinstance(tables, Tables)
    # They cost each merge and import: made when the library is first served (``list_indexes``).
    for name in "version added modified title author year key".split():
        tables.conn.execute(f"DROP INDEX IF EXISTS by_{name}")


#: The columns of a reference that the first full-text index read.
_TEXT_COLUMNS = ("title", "creators", "container", "abstract", "note", "tags")

_STEPS: tuple[Callable[[object], None], ...] = (
    _create,
    _add_replacements,
    _add_groups,
    _add_aliases,
    _add_attachments,
    _add_index,
    _add_shared_keys,
    _add_purged,
    _add_transfers,
    _add_history,
    _add_revived_groups,
    _add_index,  # with the beginnings of words
    _rename_what_waits,
    _add_newer_envelopes,
    _note_what_is_derived,
    _add_identity,
    _add_stories,
    _add_checks_on_receipt,
    _end_incarnations,
    _add_unconfirmed_deletions,
    _add_second_copies,
    _add_copy_of_deletions,
    _add_snapshots,
    _add_underived,
    _add_object_versions,
    _drop_list_indexes,
    *LATER_STEPS,
)

#: The schema version that this code knows.
LATEST = len(_STEPS)
