"""The commands that are killed, and what each has promised once it has ended with 0."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.crash.world import Desk, Lost, World, hash_of

from bifolio import Library


def _nothing() -> None:
    """Nothing is promised, and nothing is to be looked at."""


@dataclass(frozen=True, slots=True)
class Deed:
    """One command: what is typed, what holds if it ended well, what is looked at either way.

    ``usual_s`` is about how long it takes, until a run knows better.
    """

    name: str
    arguments: tuple[str, ...]
    acknowledged: Callable[[], None] = _nothing
    look: Callable[[], None] = _nothing
    usual_s: float = 0.15
    uses_relay: bool = False


def edit(world: World, desk: Desk) -> Deed:
    """A tag more."""
    key, tag = world.choose.choice(desk.keys()), world.name("tag")
    return Deed(
        "edit",
        ("edit", key, f"tags+={tag}", f"note=Note {tag}"),
        lambda: desk.facts.tags.setdefault(key, set()).add(tag),
    )


def add(world: World, desk: Desk) -> Deed:
    """A reference more."""
    key = world.name("added")
    arguments = ("add", f"citation-key={key}", f"title=On {key}", "type=book")
    return Deed("add", arguments, lambda: desk.facts.tags.update({key: set()}))


def import_file(world: World, desk: Desk) -> Deed:
    """A file's references."""
    keys = [world.name("imported") for _ in range(world.choose.randrange(3, 120))]
    file = world.folder / "import.bib"
    entries = (f"@book{{{key}, title = {{On {key}}}, year = 1999}}\n" for key in keys)
    file.write_text("".join(entries), "utf-8")
    return Deed(
        "import",
        ("import", str(file)),
        lambda: desk.facts.tags.update({key: set() for key in keys}),
        usual_s=0.4,
    )


def delete(world: World, desk: Desk) -> Deed:
    """A reference into the trash: it is still there, with all that it has."""
    return Deed("delete", ("delete", world.choose.choice(desk.keys())))


def undo(world: World, desk: Desk) -> Deed:
    """A reference out of the trash, or nothing."""
    with desk.opened() as library:
        trashed = [one.key for one in library.list(trash=True)]
    if not trashed:
        return delete(world, desk)
    return Deed("restore", ("restore", world.choose.choice(trashed)))


def attach_file(world: World, desk: Desk) -> Deed:
    """A file of some size at a reference."""
    key, name = world.choose.choice(desk.keys()), f"{world.name('paper')}.pdf"
    raw = b"%PDF-1.4 " + world.choose.randbytes(world.choose.choice((2_000, 90_000, 700_000)))
    file = world.folder / name
    file.write_bytes(raw)
    facts = desk.facts.files
    return Deed(
        "file add",
        ("file", "add", key, str(file)),
        lambda: facts.update({(key, name): hash_of(raw)}),
        file.unlink,
    )


def sync(_: World, desk: Desk) -> Deed:
    """A sync: what it has sent is at the relay."""
    return Deed(
        "sync", ("sync",), lambda: desk.sent.learn(desk.facts), usual_s=0.3, uses_relay=True
    )


def watch(_: World, __: Desk) -> Deed:
    """A watch: it never ends by itself."""
    return Deed("sync --watch", ("sync", "--watch"), usual_s=0.8, uses_relay=True)


def attach(world: World, desk: Desk) -> Deed:
    """A newcomer, that is looked at and then taken away again."""
    path = desk.disk.folder / f"{world.name('New')}.bifolio"

    def look() -> None:
        if path.exists():
            with Library.open(path, home=desk.home) as library:
                library.sync()
            desk.check_damage(path)
            with Library.open(path, home=desk.home) as library:
                there = {one.key for one in library.list()}
                there |= {one.key for one in library.list(trash=True)}
            if lacking := desk.sent.tags.keys() - there:
                raise Lost(f"a newcomer lacks {sorted(lacking)[:5]}")
        shutil.rmtree(path, ignore_errors=True)

    arguments = ("attach", world.ticket, str(path))
    return Deed("attach", arguments, look=look, usual_s=0.5, uses_relay=True)


def back_up(world: World, desk: Desk) -> Deed:
    """A backup: whole if it is there, and restored to what it was made of."""
    file = desk.disk.folder / f"{world.name('kept')}.bifolio-backup"
    with desk.opened() as library:
        state = library.status().state

    def look() -> None:
        if file.exists():
            target = world.folder / world.name("Restored")
            _restored(desk, file, target, state)
            file.unlink()

    return Deed("backup create", ("backup", "create", "-o", str(file)), look=look, usual_s=0.25)


def restore(world: World, desk: Desk) -> Deed:
    """A backup restored in another place: whole, or not there."""
    file = desk.disk.folder / f"{world.name('kept')}.bifolio-backup"
    target = desk.disk.folder / f"{world.name('Restored')}.bifolio"
    with desk.opened() as library:
        state = library.status().state
        library.backups.create(file)

    def look() -> None:
        file.unlink()
        if target.exists():
            _check_copy(desk, target, state)
        shutil.rmtree(target, ignore_errors=True)

    arguments = ("backup", "restore", str(file), str(target))
    return Deed("backup restore", arguments, look=look, usual_s=0.25)


def export_bundle(world: World, desk: Desk) -> Deed:
    """A bundle: whole, or not there; the other computer takes it in."""
    file = desk.disk.folder / f"{world.name('all')}.bundle"
    other = next(one for one in world.desks if one is not desk)

    def look() -> None:
        if file.exists():
            with other.opened() as library:
                library.bundles.import_from(file)
            file.unlink()

    arguments = ("bundle", "export", str(file), "--with-files")
    return Deed("bundle export", arguments, look=look, usual_s=0.25)


def import_bundle(world: World, desk: Desk) -> Deed:
    """All of the other computer's by a bundle, then nothing of what it had may be missing."""
    file = world.folder / f"{world.name('all')}.bundle"
    other = next(one for one in world.desks if one is not desk)
    with other.opened() as library:
        library.bundles.export(file, with_files=True)
    return Deed(
        "bundle import",
        ("bundle", "import", str(file)),
        lambda: desk.facts.learn(other.facts),
        file.unlink,
        usual_s=0.25,
    )


def repair(_: World, __: Desk) -> Deed:
    """The mending of a library that is whole."""
    return Deed("doctor --repair", ("doctor", "--repair", "--offline"), usual_s=0.5)


#: Each with its weight.
DEEDS: tuple[tuple[int, Callable[[World, Desk], Deed]], ...] = (
    (14, edit),
    (6, add),
    (12, import_file),
    (3, delete),
    (2, undo),
    (10, attach_file),
    (26, sync),
    (8, watch),
    (10, attach),
    (6, back_up),
    (5, restore),
    (3, export_bundle),
    (3, import_bundle),
    (2, repair),
)


def draw(world: World, desk: Desk) -> Deed:
    """One of them."""
    (make,) = world.choose.choices([one for _, one in DEEDS], [weight for weight, _ in DEEDS])
    return make(world, desk)


def _restored(desk: Desk, file: Path, target: Path, state: str) -> None:
    from bifolio.library import backups

    backups.restore(file, target)
    _check_copy(desk, target, state)
    shutil.rmtree(target)


def _check_copy(desk: Desk, path: Path, state: str) -> None:
    desk.check_damage(path)
    with Library.open(path, home=desk.home) as library:
        if library.status().state != state:
            raise Lost(f"{path.name} is not what was backed up")
