"""The library: the one class that programs and the command line use.

    from bifolio import Library

    with Library.create("Thesis.bifolio") as library:
        library.add({"type": "book", "title": "On Sync", "author": ["Doe, Jane"]})

A ``Library`` is one opening of one replica, used from one thread at a time. Everything works
offline but ``attach``, ``attach_new``, ``join``, ``invite``, ``sync`` and ``files.fetch``. Each of
these has a coroutine of its name with ``_async``, for code in an event loop; the plain ones wait
(docs/python.md). Modules that take long to load (the network, the formats) are loaded by the
methods that need them, so that reading one reference starts fast.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal, TypeVar

from bifolio.errors import BifolioError, InvalidValueError, TrashedReferenceError
from bifolio.home import Home
from bifolio.library import beginnings, conflicts, device, known_libraries, references, status
from bifolio.library.citation_keys import Keys
from bifolio.library.files import Files, show_whole
from bifolio.library.groups import Groups
from bifolio.library.networked import Networked, run
from bifolio.library.notes import Annotations, Notes
from bifolio.library.reading import Reader, open_file
from bifolio.library.tags import Tags
from bifolio.library.trash import Trash
from bifolio.records.edits import Edit
from bifolio.records.reference import ExportReport
from bifolio.records.values import is_one_line
from bifolio.replica import folder, lookup
from bifolio.replica.journal import Command
from bifolio.replica.replica import Replica, Runtime
from bifolio.results import (
    Conflict,
    CopyReport,
    FileProgress,
    FormattedCitation,
    ImportReport,
    Notice,
    Policy,
    Progress,
    ReferenceView,
    Status,
    in_words,
)
from bifolio.search import search
from bifolio.storage.database import Database

if TYPE_CHECKING:
    from bifolio.crypto.keys import DeviceKeys
    from bifolio.exports.live_export import LiveExport
    from bifolio.history.history import History
    from bifolio.library.backups import Backups
    from bifolio.library.bundles import Bundles
    from bifolio.library.drafts import Drafts
    from bifolio.library.duplicates import Duplicates
    from bifolio.library.members import Members
    from bifolio.results import MergedReferences

T = TypeVar("T")


class Library(Networked):
    """One opening of one replica. Use ``create``, ``open`` or ``attach_new``, then ``close``."""

    def __init__(self, path: Path, database: Database, home: Home) -> None:
        self.path = path
        #: What its user should know: about its place, its key, a relay that did not answer.
        self.notices = folder.warnings(path)
        self._home = home
        self._syncs = False
        self._database = database
        self._replica = Replica(path, database, self._load_keys, Runtime())
        self._reader = Reader(self._replica, self._load_keys, self.notices.append)

    # --- opening --------------------------------------------------------------------------

    @classmethod
    def create(
        cls, path: Path | str, *, name: str | None = None, home: Home | None = None
    ) -> Library:
        """Make a new library in a folder that does not exist yet (or is empty).

        Raises: InvalidValueError (no name of a library), PathTakenError, ReadOnlyLibraryError.
        """
        if name and (not name.strip() or not is_one_line(name)):
            raise InvalidValueError("name", expected="a name on one line", got=f"'{name}'")
        path, home = Path(path).absolute(), home or device.default_home()
        notices: list[Notice] = []

        def begin(database: Database) -> None:
            draft = cls(path, database, home)
            beginnings.begin_library(draft._replica, name or path.stem)
            notices.extend(draft.notices)

        library = cls(path, folder.create(path, begin), home)
        library.notices = notices
        known_libraries.note(home, path)
        return library

    @classmethod
    def open(
        cls,
        path: Path | str,
        *,
        home: Home | None = None,
        sync: bool = False,
        reading: bool = False,
    ) -> Library:
        """Open the library in a folder.

        Args:
            path: the folder.
            home: this device's home; by default the platform's.
            sync: whether to sync now and at ``close``, where it is attached. A relay that does
                not answer is no error: ``notices`` says so, and everything works all the same.
            reading: whether it is only read: then one that is damaged, on a full disk or
                read-only is opened as far as it is whole, and ``notices`` says so.

        Raises: NotALibraryError, NewerLibraryError, DamagedLibraryError.
        """
        path, home = Path(path).absolute(), home or device.default_home()
        opened = open_file(path, lambda: device.load_keys(home).keys, reading=reading)
        library = cls(path, opened.database, home)
        library._reader.note(opened)
        library.notices += status.lost_edits(library._replica)
        library.notices += library._reader.read(status.notices)
        library._syncs = sync and not reading
        if not reading:
            known_libraries.note(home, path)
        library._sync_if_asked()
        return library

    @classmethod
    def attach_new(
        cls,
        ticket: str,
        path: Path | str,
        *,
        home: Home | None = None,
        files: Policy = Policy.ALL,
        bundle: Path | None = None,
        progress: Progress | None = None,
    ) -> Library:
        """Make a new replica of a ticket's library, and fill it.

        Args:
            files: which contents of files it fetches by itself, now and later.
            bundle: fill it from this file; no relay is asked.

        Raises:
            TicketError, PathTakenError, RelayUnreachableError, BundleError: nothing is left behind.
        """
        made = cls.attach_new_async(
            ticket, path, home=home, files=files, bundle=bundle, progress=progress
        )
        return run(made)

    @classmethod
    async def attach_new_async(
        cls,
        ticket: str,
        path: Path | str,
        *,
        home: Home | None = None,
        files: Policy = Policy.ALL,
        bundle: Path | None = None,
        progress: Progress | None = None,
    ) -> Library:
        """``attach_new`` in an event loop."""
        from bifolio.crypto.keys import seal_to
        from bifolio.crypto.ticket_search import find_ticket

        parsed = find_ticket(ticket)
        path, was_there = Path(path).absolute(), Path(path).is_dir()
        is_new = not was_there or not any(path.iterdir())
        home = home or device.default_home()
        loaded = device.load_keys(home)
        ticket_secret = seal_to(loaded.keys.box_public, parsed.secret)
        database = beginnings.create_attached(
            path, parsed.library, parsed.relay, str(files), ticket_secret=ticket_secret
        )
        library = cls(path, database, home)
        library.notices += [Notice(loaded.notice)] if loaded.notice else []
        try:
            await library._relay.join_new(parsed, bundle, progress)
        except BaseException:
            is_in = library._relay.remote.is_in
            library.close()
            if is_new and not is_in:
                folder.remove(path, was_there=was_there)
            raise
        known_libraries.note(library._home, path)
        return library

    @classmethod
    def recover_new(
        cls,
        code: str,
        relay: str,
        path: Path | str,
        *,
        home: Home | None = None,
        progress: Progress | None = None,
    ) -> Library:
        """Make a new replica of the library of a recovery code, owned by this device, from a relay.

        Raises:
            RecoveryCodeError, PathTakenError, RelayUnreachableError, RelayRefusedError: nothing is
            left behind.
        """
        from bifolio.crypto.recovery import decode_recovery

        parsed = decode_recovery(code)
        path, was_there = Path(path).absolute(), Path(path).is_dir()
        is_new = not was_there or not any(path.iterdir())
        database = beginnings.create_attached(path, parsed.library, relay, str(Policy.ALL))
        library = cls(path, database, home or device.default_home())
        try:
            library.recover(code, relay=relay, progress=progress)
        except BaseException:
            is_in = library._relay.remote.is_in
            library.close()
            if is_new and not is_in:
                folder.remove(path, was_there=was_there)
            raise
        known_libraries.note(library._home, path)
        return library

    def close(self) -> None:
        """Close the replica; a second time is no error."""
        self._sync_if_asked()
        self._syncs = False
        self._replica.mark_edit()
        self._reader.close()
        self._database.close()

    def __enter__(self) -> Library:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def id(self) -> str:
        """The library's id: 32 hex digits."""
        return self._replica.library_id.hex()

    @property
    def name(self) -> str:
        """The library's name, the same on every replica."""
        return self._replica.meta.name or self.path.stem

    @property
    def replica_id(self) -> str:
        """This replica's id: 32 hex digits."""
        return self._replica.meta.replica_id.hex()

    @property
    def backups(self) -> Backups:
        """Backups of this library: ``create``; ``library.backups`` lists and restores them."""
        from bifolio.library.backups import Backups

        return Backups(self._replica, self._home, self._reader)

    @property
    def groups(self) -> Groups:
        """The groups: ``create``, ``move``, ``add``, ``list``, ``references`` and the rest."""
        return Groups(self._replica)

    @property
    def tags(self) -> Tags:
        """The tags of all references: ``list``, ``add``, ``remove``, ``rename``."""
        return Tags(self._replica)

    @property
    def notes(self) -> Notes:
        """The notes of references: ``list``, ``add``, ``edit``, ``remove``."""
        return Notes(self._replica)

    @property
    def annotations(self) -> Annotations:
        """The annotations of files of references: ``list``, ``add``, ``edit``, ``remove``."""
        return Annotations(self._replica)

    @property
    def keys(self) -> Keys:
        """The citation keys: the pattern, ``make``, ``pin``, ``unpin`` and ``shared``."""
        return Keys(self._replica)

    @property
    def trash(self) -> Trash:
        """The trash: ``list``, ``empty``, what was ``emptied``, ``restore``."""
        return Trash(self._replica)

    @property
    def files(self) -> Files:
        """The files attached to references: ``add``, ``list``, ``fetch``, ``export`` and more."""
        return Files(self._replica, lambda: self._relay.remote)

    @property
    def duplicates(self) -> Duplicates:
        """References that are likely one work: ``list``, ``set_apart``, ``merge``."""
        from bifolio.library.duplicates import Duplicates

        return Duplicates(self._replica)

    @property
    def bundles(self) -> Bundles:
        """Files by which a library is shared: ``export``, ``import_from``, ``invite``."""
        from bifolio.library.bundles import Bundles

        return Bundles(self._replica)

    @property
    def members(self) -> Members:
        """Who may read and write: ``list``, ``invites``, ``set_role``, ``remove`` and more."""
        from bifolio.library.members import Members

        return Members(self._replica, lambda: self._relay.remote)

    @property
    def drafts(self) -> Drafts:
        """Edits that may not be sent: ``own``, ``export``, ``accept`` another's, ``discard``."""
        from bifolio.library.drafts import Drafts

        return Drafts(self._replica)

    @property
    def history(self) -> History:
        """What was changed, by whom and when: ``of`` a reference."""
        from bifolio.history.history import History

        return History(self._replica)

    def command(self, words: str = "") -> AbstractContextManager[Command]:
        """All that is changed inside is one command, undone as one; ``words`` tell the log."""
        return self._replica.journal.command(in_words(words))

    # --- references -----------------------------------------------------------------------

    def add(self, fields: Mapping[str, str | Sequence[str]]) -> ReferenceView:
        """Add a reference; its citation key is made where none is given.

        Args:
            fields: by CSL name; a list of names as ``Family, Given``, a date as EDTF.

        Raises: UnknownFieldError, InvalidValueError: nothing was added.
        """
        return lookup.show_id(self._replica, references.add(self._replica, fields))

    def edit(self, ref: str, edits: Sequence[Edit]) -> ReferenceView:
        """Edit one reference; all of the edits are made, or none.

        Raises: ReferenceNotFoundError, TrashedReferenceError, UsageError.
        """
        from bifolio.document import editing

        replica = self._replica
        with replica.database.transaction():  # in one: what is known in it need not be asked again
            row = lookup.find(replica, ref)
            if row.trashed:
                raise TrashedReferenceError(ref)
            replica.commit_inside([(row.id, write) for write in editing.in_turns(edits)])
            shown = lookup.show_id(replica, row.id)
        replica.mark_edit()
        return shown

    def show(self, ref: str) -> ReferenceView:
        """One reference; its conflicts can then be settled by number."""
        shown = self._reader.read(lambda one: show_whole(one, ref))
        self._reader.read(lambda one: conflicts.remember(one, shown.conflicts))
        return shown

    def list(
        self,
        *,
        trash: bool = False,
        query: str | None = None,
        sort: str | None = None,
        limit: int | None = None,
    ) -> Iterator[ReferenceView]:
        """All references by id, those of a query, or the trash; ``sort`` as for ``search``."""
        return self._reader.iterate(
            lambda one: search.list_references(
                one, trash=trash, query=query, sort=sort, limit=limit
            )
        )

    def search(
        self, query: str, *, sort: str | None = None, limit: int | None = None
    ) -> Iterator[ReferenceView]:
        """References that a query finds (docs/search.md), at most ``limit``, without the trash.

        Args:
            sort: an order of ``records.sorting``, with ``-`` before it reversed.

        Raises: QueryError, InvalidValueError, GroupNotFoundError, AmbiguousGroupError.
        """
        return self._reader.iterate(lambda one: search.search(one, query, sort=sort, limit=limit))

    def count(self, query: str) -> int:
        """How many references a query finds."""
        return self._reader.read(lambda one: search.Searches(one).count(query))

    def delete(self, refs: Sequence[str]) -> Sequence[ReferenceView]:
        """Put references into the trash; one that is there already stays there.

        Raises: ReferenceNotFoundError: nothing was deleted.
        """
        return self.trash.delete(refs)

    def restore(self, refs: Sequence[str]) -> Sequence[ReferenceView]:
        """Take references out of the trash, or settle that they were brought back."""
        return self.trash.restore(refs)

    def copy(self, refs: Sequence[str], to: Library) -> CopyReport:
        """Copy references into another library; a copy remembers its origin, groups stay behind.

        Raises: SameLibraryError, ReferenceNotFoundError, TrashedReferenceError: nothing was copied.
        """
        from bifolio.library.copy_references import copy

        return copy(self._replica, to._replica, refs)

    def merge(self, refs: Sequence[str], *, keep: str | None = None) -> MergedReferences:
        """Merge references into the first one, or into ``keep``; the others go to the trash."""
        from bifolio.library.merge_duplicates import merge

        return merge(self._replica, refs, keep=keep)

    # --- conflicts ------------------------------------------------------------------------

    def conflicts(self) -> Sequence[Conflict]:
        """Every field with more than one live value, the same on every replica; behind them the
        groups that were deleted and edited at the same time."""
        found = self._reader.read(conflicts.list_all)
        self._reader.read(lambda one: conflicts.remember(one, found))
        return found

    def resolve(
        self,
        ref: str,
        field: str,
        *,
        take: int | Sequence[int] | None = None,
        value: str | None = None,
    ) -> ReferenceView:
        """Settle a conflict with one of its values, by number as last listed (of texts also with
        several, joined as paragraphs), or with a new one.

        Raises: ConflictChoiceError: no conflict there, or not as it was listed.
        """
        row = lookup.find(self._replica, ref)
        conflicts.resolve(self._replica, row, field, take=take, value=value)
        return lookup.show_id(self._replica, row.id)

    # --- import and export ----------------------------------------------------------------

    def import_files(
        self,
        paths: Sequence[Path | str],
        *,
        format: str | None = None,
        encoding: str | None = None,
        zotero_group: str | None = None,
        linked_files: bool = False,
        dry_run: bool = False,
        progress: FileProgress | None = None,
    ) -> ImportReport:
        """Import files and whole libraries; what cannot be read is skipped, named and counted.

        Args:
            paths: the files, or the folders of EndNote's and Zotero's libraries.
            format: a name of ``bifolio.formats.IMPORT_FORMATS``; by default each file tells.
            encoding: the files' character set; by default their bytes tell.
            zotero_group: of Zotero's libraries this group's, not the user's own.
            linked_files: take in files of the user's home folder that a library links to.
            dry_run: say what would happen, and change nothing.
            progress: called with stage, done and total of a file, and the file.
        """
        from bifolio.imports.import_files import import_files

        return import_files(
            self._replica,
            [Path(path) for path in paths],
            format=format,
            encoding=encoding,
            zotero_group=zotero_group,
            links=device.documents(self._home, self.path) if linked_files else None,
            dry_run=dry_run,
            progress=progress,
        )

    def export(
        self,
        out: BinaryIO,
        *,
        format: str,
        query: str | None = None,
        members_blocks: bool = False,
        with_files: Path | None = None,
        beside: Path | None = None,
        cited_in: Path | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> ExportReport:
        """Write references; the options are those of ``exports.export.ExportOptions``."""
        from bifolio.exports.export import ExportOptions, export

        given = ExportOptions(format, query, members_blocks, with_files, beside, cited_in)
        return self._reader.write(out, lambda one: export(one, out, given, progress))

    def live_export(
        self, *, format: str, query: str | None = None, members_blocks: bool = False
    ) -> LiveExport:
        """An export to be written again whenever the library changes: only what changed is
        composed again. Raises UsageError where there is no such format."""
        from bifolio.exports.live_export import LiveExport

        return LiveExport(self._replica, format=format, query=query, members_blocks=members_blocks)

    def cite(
        self,
        refs: Sequence[str],
        *,
        style: str = "apa",
        form: Literal["text", "html"] = "text",
        locale: str | None = None,
    ) -> FormattedCitation:
        """References as a citation style writes them; needs the extra ``bifolio[cite]``.

        Args:
            refs: in the order in which they are cited.
            style: a style's name, or the path of a ``.csl`` file.
            form: what is written.
            locale: such as ``de-DE``; by default the style's own.

        Raises:
            ReferenceNotFoundError, TrashedReferenceError, CitationsMissingError,
            StyleNotFoundError, StyleError.
        """
        from bifolio.exports.cite import cite

        return cite(self._replica, refs, style=style, form=form, locale=locale)

    # --- at a glance, and care -----------------------------------------------------------

    def status(self) -> Status:
        """The replica at a glance; no connection is opened for it."""
        return self._reader.read(
            lambda one: status.of_one_moment(one, name=self.name, replica_id=self.replica_id)
        )

    def rebuild_index(self) -> int:
        """Derive again what lists and searches read; returns the references."""
        return status.rebuild(self._replica)

    def repair(self) -> int:
        """Try again what was set aside of others' changes; returns how many were merged."""
        return status.repair(self._replica)

    def state_json(self) -> Iterator[str]:
        """The canonical JSON of every record, by id: equal on replicas that hold the same."""
        return status.state_json(self._replica)

    # --- small steps ----------------------------------------------------------------------

    def _sync_if_asked(self) -> None:
        """Sync an attached library that was opened so; what stands in the way is a notice."""
        if not (self._syncs and self._replica.meta.relay_url):
            return
        try:
            self.sync()
        except BifolioError as error:
            self.notices.append(Notice(error.message, error.next_step))

    def _load_keys(self) -> DeviceKeys:
        loaded = device.load_keys(self._home, self._replica.meta.device_key)
        if loaded.notice:
            self.notices.append(Notice(loaded.notice))
        return loaded.keys
