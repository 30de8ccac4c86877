"""One cycle: a command begins, it or the relay is killed, and everything is looked at."""

from __future__ import annotations

import shutil
import signal
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from tests.crash import deeds
from tests.crash.deeds import Deed
from tests.crash.world import Desk, World

#: A world is begun again after so many cycles, so that its libraries stay small.
CYCLES_OF_ONE = 40
#: How long a command may take on a poor line before it is killed after all.
_LONGEST_S = 25.0
_MEMORY = Path("/dev/shm")


class Place(StrEnum):
    """What else is wrong while a command runs."""

    PLAIN = "plain"
    FULL_DISK = "full disk"
    FULL_RELAY = "full disk of the relay"
    POOR_LINE = "poor line"
    RELAY_KILLED = "relay killed too"


#: How often each comes with a command that talks to the relay, in the order above.
_WEIGHTS = (2, 1, 2, 4, 3)


@dataclass(slots=True)
class Figures:
    """What was done: by command how often it was killed, ended well, or ended with a failure."""

    cycles: int = 0
    killed: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    places: Counter[str] = field(default_factory=Counter)
    relay_kills: int = 0
    facts: int = 0
    usual_s: dict[str, float] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)


def run(seed: int, cycles: int, figures: Figures, *, keep: bool = False) -> Iterator[None]:
    """So many cycles in worlds of some cycles each; yields after every one."""
    left = cycles
    while left > 0 and not figures.violations:
        # In memory where there is one: no power is cut, so what is written is there all the same.
        folder = Path(tempfile.mkdtemp(prefix="crash-", dir=_MEMORY if _MEMORY.is_dir() else None))
        world = World(folder, seed)
        said: list[str] = []
        try:
            for _ in range(min(left, CYCLES_OF_ONE)):
                _cycle(world, figures, said)
                figures.cycles += 1
                left -= 1
                yield
        except Exception:  # noqa: BLE001  whatever ends a cycle is what was looked for
            last = "\n".join(said[-12:])
            figures.violations.append(f"seed {seed}:\n{traceback.format_exc()}\n{last}")
        finally:
            figures.facts += max(desk.facts.count() for desk in world.desks)
            if figures.violations and keep:
                shutil.copytree(folder, f"{folder}-kept", ignore=shutil.ignore_patterns(".filler"))
                figures.violations.append(f"kept in {folder}-kept")
            world.close()
            shutil.rmtree(folder, ignore_errors=True)
        seed += 1


def _cycle(world: World, figures: Figures, said: list[str]) -> None:
    choose = world.choose
    desk = choose.choice(world.desks)
    deed = deeds.draw(world, desk)
    place = _draw_place(world, deed)
    usual = figures.usual_s.get(deed.name, deed.usual_s)
    wait_s = choose.random() * usual * 1.3
    said.append(f"{desk.computer.name}: {deed.name} ({place}), killed after {wait_s:.3f} s")
    _spoil(world, desk, place)
    try:
        code, took_s, text = _run(world, desk, deed, place, wait_s, figures)
    finally:
        desk.disk.make_room()
        world.relay_disk.make_room()
        world.mend_line()
    figures.places[place] += 1
    said.append(f"  ended with {code} after {took_s:.3f} s")
    if code == -signal.SIGKILL:
        figures.killed[deed.name] += 1
    elif code in (0, 3):
        if place not in (Place.POOR_LINE, Place.RELAY_KILLED):  # which take as long as they do
            figures.usual_s[deed.name] = 0.7 * usual + 0.3 * took_s
        figures.ended[deed.name] += 1
        if code == 0:
            deed.acknowledged()
    else:
        figures.failed[deed.name] += 1
        assert "Traceback" not in text, text
        assert place is not Place.PLAIN, f"{deed.name} failed: {text}"
    deed.look()
    desk.check()
    world.converge(desk)


def _run(
    world: World, desk: Desk, deed: Deed, place: Place, wait_s: float, figures: Figures
) -> tuple[int, float, str]:
    """The command's exit code (or its signal), how long it took, and what it said."""
    begun = time.monotonic()
    started, log = world.start(desk, *deed.arguments)
    if place is Place.RELAY_KILLED:
        time.sleep(wait_s)
        world.relay.kill()
        figures.relay_kills += 1
        world.restart_relay()
        time.sleep(world.choose.random() * 0.5)
    elif place is Place.POOR_LINE and deed.name != "sync --watch":
        time.sleep(min(wait_s * 3, _LONGEST_S))
    else:
        time.sleep(wait_s)
    code = started.end(signal.SIGKILL, within_s=20)
    said = (world.folder / "out").read_text("utf-8", "replace") + log.read_text("utf-8", "replace")
    return code, time.monotonic() - begun, said


def _draw_place(world: World, deed: Deed) -> Place:
    if not deed.uses_relay:
        return world.choose.choice((Place.PLAIN, Place.FULL_DISK))
    (place,) = world.choose.choices(list(Place), _WEIGHTS)
    return place


def _spoil(world: World, desk: Desk, place: Place) -> None:
    room = world.choose.choice((0, 4_096, 40_000, 200_000, 900_000))
    if place is Place.FULL_DISK:
        desk.disk.fill(leave_bytes=room)
    elif place is Place.FULL_RELAY:
        world.relay_disk.fill(leave_bytes=room)
    elif place is Place.POOR_LINE:
        world.spoil_line()


def said_of(figures: Figures, seconds: float) -> str:
    """The figures, in lines."""
    names = sorted(figures.killed.keys() | figures.ended.keys() | figures.failed.keys())
    lines = [
        f"{figures.cycles:,} cycles in {seconds:,.0f} s: {sum(figures.killed.values()):,} kills of "
        f"commands, {figures.relay_kills:,} of the relay; {figures.facts:,} facts acknowledged",
        *(
            f"  {name:16} killed {figures.killed[name]:5,}  ended {figures.ended[name]:5,}"
            f"  failed {figures.failed[name]:5,}"
            for name in names
        ),
        *(f"  {times:6,} {place}" for place, times in figures.places.most_common()),
    ]
    return "\n".join(lines)
