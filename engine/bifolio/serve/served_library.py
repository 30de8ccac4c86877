"""One library as its endpoints see it: windows, short names, collections; one thread's own.

What is read is read from the library's file, as it is at that moment, whoever wrote it. What is
kept from one request to the next is kept only as long as nobody wrote.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from bifolio import limits
from bifolio.library.library import Library
from bifolio.library.short_names import ShortNames
from bifolio.library.whole_writes import WholeWrites
from bifolio.library.windows import Windows
from bifolio.results import GroupKind, GroupView
from bifolio.serve.answers import Refusal, not_found
from bifolio.serve.found_lists import FoundLists, KeptRanks
from bifolio.serve.made_objects import MadeObjects

T = TypeVar("T")


class ServedLibrary:
    """One opened library that is served."""

    def __init__(self, library: Library, *, group: int | None) -> None:
        self.library = library
        self.windows = Windows(library, at_once=False)
        #: The first of them serves what programs ask for first; the others can wait.
        self._has_indexes = self.windows.has_indexes or not self.windows.make_index()
        self.names = ShortNames(library)
        self.writes = WholeWrites(library)
        #: The number under which it is served as a group; None for the one that is a user's.
        self.group = group
        self._seen: tuple[int, ...] | None = None
        self._kept: dict[object, Any] = {}
        self.made_objects = MadeObjects()
        self.found_lists = FoundLists()
        self.ranks = KeptRanks(self.windows)
        #: By the hash of the content: what a content is never changes.
        self._md5: dict[str, str] = {}

    @property
    def prefix(self) -> str:
        """The beginning of its paths."""
        return "users/0" if self.group is None else f"groups/{self.group}"

    def catch_up(self, *, briefly: bool = False) -> None:
        """Give what is new its short name; forget what was kept if anybody wrote.

        Args:
            briefly: where a lot is new, name it when it is asked for (``ShortNames.catch_up``).
        """
        self.names.catch_up(briefly=briefly)
        self.note_writes()

    def note_writes(self) -> None:
        """Forget what was kept if anybody wrote."""
        now = (*self.windows.data_version(), self.library.files.texts_version)
        if now != self._seen:
            self.forget()
            self.ranks.catch_up()
            self._seen = now

    @property
    def has_work(self) -> bool:
        """Whether there is something to do between requests."""
        return not self._has_indexes or self.names.is_behind or self.ranks.is_wanted

    def work_ahead(self) -> bool:
        """Do a little of what the next requests would wait for. Returns whether there is more."""
        if not self._has_indexes:
            self._has_indexes = not self.windows.make_index()
        elif self.names.is_behind:
            self.names.name_more()
        elif self.ranks.is_wanted:
            self.ranks.make_more()
        return self.has_work

    def forget(self) -> None:
        """What was kept may be of changes that were undone."""
        self._seen = None
        self._kept.clear()
        self.found_lists.clear()
        self.made_objects.note_write()

    def close(self) -> None:
        """Close the library."""
        self.ranks.close()
        self.library.close()

    def keep(self, name: object, make: Callable[[], T]) -> T:
        """What ``make`` makes, made once for as long as nobody writes."""
        if name not in self._kept:
            made = make()
            while len(self._kept) >= limits.SERVE_FACTS_MAX:
                del self._kept[next(iter(self._kept))]
            self._kept[name] = made
        found: T = self._kept[name]
        return found

    # --- files ----------------------------------------------------------------------------------

    def md5_of(self, content_hash: str) -> str | None:
        """The MD5 of a content, where it was asked for by itself before (``find_md5``)."""
        return self._md5.get(content_hash)

    def find_md5(self, ref: str, content_hash: str) -> str | None:
        """The MD5 of a file of a reference; None where its content is not here."""
        if content_hash not in self._md5:
            found = self.library.files.md5(ref, content_hash)
            if found is None:
                return None
            self._md5[content_hash] = found
        return self._md5[content_hash]

    # --- collections and searches -------------------------------------------------------------

    @property
    def collections(self) -> dict[str, GroupView]:
        """The groups that are filled by hand, by their keys, each before those under it."""
        return self._groups(GroupKind.MANUAL)

    @property
    def searches(self) -> dict[str, GroupView]:
        """The smart groups, by their keys."""
        return self._groups(GroupKind.SMART)

    @property
    def collection_keys(self) -> dict[str, str]:
        """The keys of the collections by the groups' ids."""
        return self.keep(
            "collection keys", lambda: {group.id: key for key, group in self.collections.items()}
        )

    def collection(self, key: str) -> GroupView:
        """The collection of a key.

        Raises:
            Refusal: there is none.
        """
        found = self.collections.get(key)
        if found is None:
            raise not_found("Collection not found")
        return found

    def find(self, key: str) -> tuple[str, str]:
        """The record and the part of it that the key of an item names.

        Raises:
            Refusal: there is none.
        """
        found = self.names.find(key)
        if found is None:
            raise not_found("Item does not exist")
        return found.record, found.part

    def records_of(self, keys: Sequence[str]) -> list[str]:
        """The references that keys name, their parts' too; unknown keys are left out."""
        found = [self.names.find(key) for key in keys]
        return list(dict.fromkeys(one.record for one in found if one is not None))

    def check_version(self, given: str | None) -> None:
        """Raise the answer "nothing new" for who has this version already."""
        if given is not None and given.isdecimal() and int(given[:18]) >= self.windows.version:
            version = str(self.windows.version)
            raise Refusal(304, "", {"Last-Modified-Version": version})

    def _groups(self, kind: GroupKind) -> dict[str, GroupView]:
        def read() -> dict[GroupKind, dict[str, GroupView]]:
            groups = self.library.groups.list()
            names = self.names.of([one.id for one in groups])
            found: dict[GroupKind, dict[str, GroupView]] = {one: {} for one in GroupKind}
            for one in groups:
                if "" in names[one.id]:
                    found[one.kind][names[one.id][""]] = one
            return found

        return self.keep("groups", read)[kind]
