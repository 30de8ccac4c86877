"""Lines that are cut again and again, slow, or half open: each byte goes about once.

What went over the line is compared with what had to: the envelopes, and the files where there are
some. The factors are printed.
"""

from __future__ import annotations

import queue
import random
import sqlite3
import string
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.support import computer as computer_module
from tests.support.arrangements import make_library, share
from tests.support.computer import Computer
from tests.support.convergence import assert_same_library
from tests.support.deadlines import until
from tests.support.proxy import Proxy
from tests.support.relay_process import RelayProcess

LETTERS = string.ascii_lowercase


def random_entries(count: int, *, seed: int = 7) -> str:
    """Articles with abstracts of words that nobody has seen before, 0.5 kB sealed each."""
    choose = random.Random(seed)
    words = ["".join(choose.choices(LETTERS, k=choose.randint(2, 10))) for _ in range(4000)]
    return "\n".join(
        f"@article{{k{number},\n"
        f"  title = {{{' '.join(choose.choices(words, k=9))}}},\n"
        f"  author = {{{choose.choice(words).title()}, X.}},\n"
        f"  doi = {{10.1000/{number}}},\n"
        f"  abstract = {{{' '.join(choose.choices(words, k=60))}}},\n"
        f"}}\n"
        for number in range(count)
    )


def random_text(size: int) -> str:
    return "".join(random.Random(size).choices(LETTERS + " ", k=size))


def sealed_bytes(computer: Computer) -> int:
    """What has to go over a line: the envelopes that this computer made."""
    with sqlite3.connect(computer.library / "library.sqlite") as database:
        found = database.execute("SELECT sum(length(body)) FROM changes WHERE hash IS NOT NULL")
        total: int = found.fetchone()[0]
    database.close()
    return total


def first_sync(desk: Computer, laptop: Computer, proxy: Proxy) -> tuple[float, float]:
    """A library goes up and comes down over a line; both factors."""
    ticket = desk.run("attach", proxy.url, "--no-backup")["ticket"]
    needed, up_bytes = sealed_bytes(desk), proxy.passed_bytes
    up_connections = proxy.connections
    laptop.run("attach", ticket, laptop.library)
    down_bytes = proxy.passed_bytes - up_bytes
    factors = up_bytes / needed, down_bytes / needed
    print(
        f"needed {needed:,} bytes; up {up_bytes:,} ({factors[0]:.3f}) in {up_connections} "
        f"connections, down {down_bytes:,} ({factors[1]:.3f}) in "
        f"{proxy.connections - up_connections}"
    )
    return factors


def test_a_first_sync_over_a_line_that_is_cut_again_and_again_ends(
    relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    make_library(desk, random_entries(250))
    with Proxy(relay.port, cut_every_bytes=30_000) as proxy:
        up, down = first_sync(desk, laptop, proxy)
        assert proxy.connections > 10
        assert max(up, down) < 1.4
        desk.run("sync")
        assert_same_library(desk, laptop)


@pytest.mark.parametrize("what", [pytest.param("note", marks=pytest.mark.heavy), "file"])
def test_what_is_larger_than_a_line_carries_goes_on_at_the_byte(
    relay: RelayProcess, desk: Computer, laptop: Computer, tmp_path: Path, what: str
) -> None:
    size = 400_000
    note = random_text(size) if what == "note" else "short"
    make_library(desk, f"@book{{k0,\n  title = {{On Paper}},\n  note = {{{note}}},\n}}\n")
    if what == "file":
        content = tmp_path / "paper.pdf"
        content.write_bytes(random.Random(size).randbytes(size))
        desk.run("file", "add", "k0", content)
    with Proxy(relay.port, cut_every_bytes=100_000) as proxy:
        ticket = desk.run("attach", proxy.url, "--no-backup")["ticket"]
        needed = sealed_bytes(desk) + (size if what == "file" else 0)
        up_bytes = proxy.passed_bytes
        laptop.run("attach", ticket, laptop.library)
        down_bytes = proxy.passed_bytes - up_bytes
        print(f"{what}: needed {needed:,}, up {up_bytes:,}, down {down_bytes:,}")
        assert max(up_bytes, down_bytes) < 1.25 * needed
    desk_now, laptop_now = desk.run("show", "k0"), laptop.run("show", "k0")
    assert desk_now["fields"] == laptop_now["fields"]
    if what == "file":
        out = tmp_path / "out.pdf"
        laptop.run("file", "export", "k0", "paper.pdf", "-o", out)
        assert out.read_bytes() == content.read_bytes()


@pytest.mark.heavy
def test_an_edit_and_a_sync_over_a_line_that_is_cut_once(
    relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    share(relay.url, desk, laptop)
    with Proxy(relay.port) as proxy:
        desk.run("attach", proxy.url, "--no-backup")
        file = desk.home / "more.bib"
        file.write_text(random_entries(200), "utf-8")
        desk.run("import", file)
        before, proxy.cut_every_bytes = proxy.connections, 60_000
        desk.run("sync")
        assert proxy.connections - before > 1
        laptop.run("sync")
        assert_same_library(desk, laptop)


@pytest.mark.heavy
def test_a_watch_on_a_line_that_is_cut_again_and_again_gets_everything(
    relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    with Proxy(relay.port) as proxy:
        share(proxy.url, desk, laptop)
        desk.run("attach", relay.url, "--no-backup")
        with watching(laptop):
            before, proxy.cut_every_bytes = proxy.connections, 40_000
            file = desk.home / "more.bib"
            file.write_text(random_entries(300), "utf-8")
            desk.run("import", file)
            desk.run("sync")
            state = desk.run("status")["state"]
            until(
                lambda: laptop.run("status")["state"] == state,
                what="the laptop has it",
                within_s=40,
            )
        assert proxy.connections - before > 1


@pytest.mark.heavy
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    ("line", "factor", "connections_max"),
    [({"cut_every_bytes": 100_000}, 1.15, 1000), ({"bytes_per_s": 10_000}, 1.05, 7)],
    ids=["cut every 100 kB", "10 kB a second"],
)
def test_10000_references_over_a_poor_line(
    relay: RelayProcess,
    desk: Computer,
    laptop: Computer,
    monkeypatch: pytest.MonkeyPatch,
    line: dict[str, int],
    factor: float,
    connections_max: int,
) -> None:
    monkeypatch.setattr(computer_module, "_COMMAND_TIMEOUT_S", 1700.0)
    make_library(desk, random_entries(10_000))
    with Proxy(relay.port, **line) as proxy:
        up, down = first_sync(desk, laptop, proxy)
        assert proxy.connections <= connections_max
        assert max(up, down) < factor
        desk.run("sync")
        assert_same_library(desk, laptop)


@pytest.mark.heavy
@pytest.mark.timeout(180)
def test_a_half_open_line_is_noticed_in_40_s_while_edits_wait(
    relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    share(relay.url, desk, laptop)
    with Proxy(relay.port) as proxy:
        desk.run("attach", proxy.url, "--no-backup")
        with watching(desk) as said:
            proxy.is_frozen = True
            desk.run("edit", "work0", "title=On Paper")
            began = time.monotonic()
            line = said.get(timeout=45)
            noticed_s = time.monotonic() - began
            print(f"noticed after {noticed_s:.1f} s: {line}")
            assert noticed_s < 40
            assert "nothing came for 30 seconds" in line
            proxy.is_frozen = False
            until(lambda: _title(laptop) == "On Paper", what="the edit", within_s=60)


def _title(computer: Computer) -> object:
    computer.run("sync")
    return computer.run("show", "work0")["fields"]["title"]


@contextmanager
def watching(computer: Computer) -> Iterator[queue.Queue[str]]:
    """``bifolio sync --watch``, from its first round on; what it says on stderr."""
    process = computer.start("sync", "--watch", "--json")
    said: queue.Queue[str] = queue.Queue()

    def read() -> None:
        assert process.stderr is not None
        for line in process.stderr:
            said.put(line)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        assert process.stdout is not None
        assert process.stdout.readline(), "it ended before its first round"
        yield said
    finally:
        process.terminate()
        with process:
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
        reader.join(timeout=20)
