"""What must hold after every acceptance case: all computers show the same library."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.support.computer import Computer


@dataclass(frozen=True, slots=True)
class SharedView:
    """What every one of the computers shows: show objects by id, and the conflicts."""

    references: list[dict[str, Any]]
    trash: list[dict[str, Any]]
    conflicts: list[dict[str, Any]]

    @property
    def keys(self) -> set[str]:
        """The citation keys of the references that are not in the trash."""
        return {str(reference["key"]) for reference in self.references}

    @property
    def trash_keys(self) -> set[str]:
        """The citation keys of the references in the trash."""
        return {str(reference["key"]) for reference in self.trash}

    def fields(self, key: str) -> dict[str, Any]:
        """The fields of the one living reference with this citation key."""
        (reference,) = [one for one in self.references if one["key"] == key]
        fields: dict[str, Any] = reference["fields"]
        return fields


def sync_all(*computers: Computer) -> str:
    """Bring everybody's changes to everybody; returns the state hash, which is then one.

    The last computer syncs once: nobody has anything new after it.
    """
    *_, last = [computer.run("sync") for computer in computers]
    reports = [last, *(computer.run("sync") for computer in computers[:-1])]
    assert len({report["state"] for report in reports}) == 1, reports
    return str(last["state"])


def assert_same_library(*computers: Computer) -> SharedView:
    """The same hash, canonical JSON, lists and conflicts everywhere."""
    canonical = [_canonical(computer) for computer in computers]
    views = [
        SharedView(*computer.run_all([("list",), ("list", "--trash"), ("conflicts",)]))
        for computer in computers
    ]
    for computer, text, view in zip(computers[1:], canonical[1:], views[1:], strict=True):
        assert text == canonical[0], f"{computer.name} holds another library"
        assert view == views[0], f"{computer.name} shows another library"
    return views[0]


def assert_converges(*computers: Computer) -> SharedView:
    """Sync everybody, then ``assert_same_library``."""
    sync_all(*computers)
    return assert_same_library(*computers)


def _canonical(computer: Computer) -> tuple[str, list[str]]:
    with computer.opened() as library:
        return library.status().state, list(library.state_json())
