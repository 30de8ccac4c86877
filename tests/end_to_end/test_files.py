"""Cases E, and the files of C5: files of references on two computers apart.

The 2 GB of E4 are carried by ``benchmarks/bench_files.py --full``, which compares their hash and
measures the memory of every process.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from tests.support.arrangements import share
from tests.support.computer import Computer
from tests.support.convergence import assert_same_library, sync_all
from tests.support.deadlines import until
from tests.support.proxy import Proxy
from tests.support.relay_process import RelayProcess

MEGABYTE = 1024 * 1024


def written(computer: Computer, name: str, raw: bytes, *, folder: str = "papers") -> str:
    """A file on a computer; the path as a user would type it."""
    (computer.home / folder).mkdir(exist_ok=True)
    path = computer.home / folder / name
    path.write_bytes(raw)
    return str(path)


def noise(size_bytes: int, seed: int) -> bytes:
    """Bytes that do not shrink, the same for the same seed."""
    return random.Random(seed).randbytes(size_bytes)


def exported(computer: Computer, ref: str, *names: str) -> list[bytes]:
    """The contents of a reference's files as the computer gives them out."""
    targets = [computer.home / f"exported{number}" for number in range(len(names))]
    computer.run_all(
        [
            ("file", "export", ref, name, "-o", str(target))
            for name, target in zip(names, targets, strict=True)
        ]
    )
    return [target.read_bytes() for target in targets]


def states(computer: Computer, ref: str) -> dict[str, str]:
    """Where each file of a reference is, by name."""
    return by_name(computer.run("file", "list", ref))


def by_name(listed: list[dict[str, Any]]) -> dict[str, str]:
    """The state of each file of a list, by name."""
    return {one["name"]: one["state"] for one in listed}


def content_files(computer: Computer) -> list[Path]:
    """The contents that a computer keeps."""
    return [path for path in (computer.library / "files").glob("??/*") if path.is_file()]


def test_replacements_additions_and_deletions_of_files_meet(
    relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    """E1: both replace the same PDF: both files are kept, with who and when.

    E2: B deletes R, A attaches a file to it: the file is reachable.
    C5: R with files is deleted and restored: the files are there again.
    """
    share(relay.url, desk, laptop)
    draft = written(desk, "paper.pdf", b"draft")
    desk.run_all([("file", "add", "work0", draft), ("file", "add", "work2", draft), ("sync",)])
    paper = written(desk, "paper.pdf", b"of the desk")
    other = written(desk, "other.pdf", b"unseen by the laptop")
    replaced = written(laptop, "paper.pdf", b"of the laptop")
    _, listed = laptop.run_all([("sync",), ("file", "list", "work0")])
    assert by_name(listed) == {"paper.pdf": "here"}
    desk.run_all([("file", "add", "work0", paper), ("file", "add", "work1", other), ("sync",)])
    laptop.run_all(
        [("file", "add", "work0", replaced), ("delete", "work1"), ("delete", "work2"), ("sync",)]
    )

    _, kept, shown = desk.run_all([("sync",), ("file", "list"), ("show", "work0")])
    assert sorted((one["name"], one["state"], one["added_by"]) for one in kept) == [
        ("other.pdf", "here", "desk"),
        ("paper.pdf", "here", "desk"),
        ("paper.pdf", "here", "laptop"),
    ]
    assert all(one["added_at"] for one in kept)
    names = shown["files"]
    assert all(name.startswith("paper.pdf~") for name in names)
    assert sorted(exported(laptop, "work0", *names)) == [b"of the desk", b"of the laptop"]
    assert "paper.pdf~" in laptop.fails("file", "export", "work0", "paper.pdf", "-o", "x")
    assert exported(laptop, "work1", "other.pdf") == [b"unseen by the laptop"]

    _, restored, _ = desk.run_all([("list", "--trash"), ("restore", "work2"), ("sync",)])
    assert [one["files"] for one in restored] == [["paper.pdf"]]
    laptop.run("sync")
    view = assert_same_library(desk, laptop)
    assert view.keys == {"work0", "work1", "work2"}
    assert exported(laptop, "work2", "paper.pdf") == [b"draft"]


@pytest.mark.heavy
def test_files_go_on_where_the_line_was_cut_and_wait_where_the_relay_is_full(
    tmp_path: Path, desk: Computer, laptop: Computer
) -> None:
    """E3: while the bytes are not uploaded B shows "only on A"; they are ready when A returns.

    E4: two files of one name, none of a byte, and one cut off in the middle, both ways.
    E5: the quota is full: metadata go on, unsent files are listed, and go when there is room.
    """
    big, same = noise(3 * MEGABYTE, 1), noise(40_000, 2)
    with RelayProcess(tmp_path, "--quota", "4M") as relay, Proxy(relay.port) as proxy:
        share(proxy.url, desk, laptop)
        paths = [
            written(desk, "big.pdf", big),
            written(desk, "empty.txt", b""),
            written(desk, "scan.pdf", same, folder="one"),
            written(desk, "scan.pdf", b"another scan", folder="two"),
        ]
        assert len(desk.run("file", "add", "work0", *paths)) == 4
        proxy.cut_after_bytes, proxy.passed_bytes = MEGABYTE, 0
        assert "was cut" in desk.fails("sync")
        first_bytes = proxy.passed_bytes
        proxy.cut_after_bytes = None
        _, listed = laptop.run_all([("sync",), ("file", "list", "work0")])
        assert by_name(listed)["big.pdf"] == "on-other-device"
        told = laptop.fails("file", "export", "work0", "big.pdf", "-o", "x")
        assert "only on desk" in told
        assert "bifolio sync" in told

        proxy.passed_bytes = 0
        listed, status, report, after = desk.run_all(
            [("file", "list", "work0"), ("status",), ("sync",), ("status",)]
        )
        assert by_name(listed)["big.pdf"] == "not-sent"
        assert report["files_sent"] == status["unsent_files"] >= 1
        assert after["unsent_files"] == 0
        # A chunk is 256 KiB: what had arrived whole was not sent again.
        assert first_bytes + proxy.passed_bytes < len(big) + len(same) + MEGABYTE

        proxy.cut_after_bytes, proxy.passed_bytes = 2 * MEGABYTE, 0
        assert "was cut" in laptop.fails("sync")
        proxy.cut_after_bytes = None
        report, shown = laptop.run_all([("sync",), ("show", "work0")])
        assert report["files_received"] >= 1
        assert proxy.passed_bytes < len(big) + len(same) + MEGABYTE
        assert sorted(exported(laptop, "work0", *shown["files"])) == sorted(
            [big, b"", same, b"another scan"]
        )

        large = written(desk, "large.pdf", noise(MEGABYTE, 3))
        _, _, report, listed, status = desk.run_all(
            [
                ("file", "add", "work1", large),
                ("edit", "work1", "title=Still carried"),
                ("sync",),
                ("file", "list", "work1"),
                ("status",),
            ]
        )
        assert report["files_sent"] == 0
        assert by_name(listed) == {"large.pdf": "no-room"}
        assert (status["unsent"], status["unsent_files"]) == (0, 1)
        (refusal,) = status["refusals"]
        assert "no room for 1" in refusal["reason"]
        assert "--quota" in refusal["next"]["text"]
        _, shown, listed = laptop.run_all([("sync",), ("show", "work1"), ("file", "list", "work1")])
        assert shown["fields"]["title"] == "Still carried"
        assert by_name(listed) == {"large.pdf": "on-other-device"}

        relay.stop()
        relay.options = ("--quota", "1G")
        relay.start()
        report, status = desk.run_all([("sync",), ("status",)])
        assert (report["files_sent"], status["refusals"]) == (1, [])
        assert laptop.run("sync")["files_received"] == 1


@pytest.mark.heavy
def test_a_content_is_uploaded_once_fetched_by_policy_and_given_back_to_a_wiped_relay(
    own_relay: RelayProcess, desk: Computer, laptop: Computer, tmp_path: Path
) -> None:
    """Two computers attach one content before they meet; a third one fetches what it opens."""
    content = noise(MEGABYTE, 5)
    ticket = share(own_relay.url, desk, laptop)
    desk.run("file", "add", "work0", written(desk, "paper.pdf", content))
    laptop.run("file", "add", "work1", written(laptop, "copy.pdf", content))
    assert desk.run("sync")["files_sent"] == 1
    report = laptop.run("sync")
    assert (report["files_sent"], report["files_received"]) == (0, 0)
    sync_all(desk, laptop)
    assert len(content_files(desk)) == len(content_files(laptop)) == 1

    phone = Computer.make(tmp_path, "phone")
    phone.run("attach", ticket, phone.library, "--files", "on-demand")
    assert states(phone, "work0") == {"paper.pdf": "on-relay"}
    assert exported(phone, "work0", "paper.pdf") == [content]
    assert states(phone, "work1") == {"copy.pdf": "here"}

    own_relay.stop()
    own_relay.wipe()
    own_relay.start()
    assert desk.run("sync")["files_sent"] == 1
    tablet = Computer.make(tmp_path, "tablet")
    tablet.run("attach", desk.run("invite")["ticket"], tablet.library, "--files", "none")
    tablet.run("sync")
    assert content_files(tablet) == []
    assert "--fetch" in tablet.fails("file", "export", "work0", "paper.pdf", "-o", "x")
    target = tablet.home / "fetched"
    tablet.run("file", "export", "work0", "paper.pdf", "-o", target, "--fetch")
    assert target.read_bytes() == content


@pytest.mark.heavy
def test_edits_are_not_kept_waiting_by_a_large_file_in_a_live_sync(
    relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    """``sync --watch`` carries files too; an edit goes between two chunks."""
    share(relay.url, desk, laptop)
    watching = [computer.start("sync", "--watch", "--json") for computer in (desk, laptop)]
    try:
        desk.run("file", "add", "work0", written(desk, "big.pdf", noise(200 * MEGABYTE, 6)))
        until(lambda: laptop.run("file", "list", "work0"), what="the file's name", within_s=60)
        desk.run("edit", "work1", "title=In between")
        until(
            lambda: laptop.run("show", "work1")["fields"]["title"] == "In between",
            what="the edit",
        )
        assert states(laptop, "work0") != {"big.pdf": "here"}, "the file was there before it"
        until(
            lambda: states(laptop, "work0") == {"big.pdf": "here"},
            what="the file's content",
            within_s=120,
        )
    finally:
        for process in watching:
            process.terminate()
            process.communicate(timeout=20)
