"""L5: a PDF that is annotated in a viewer: kept, named by the next command, attached, shared."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.arrangements import make_library, share
from tests.support.bibliographies import numbered_entries
from tests.support.computer import BIFOLIO, Computer
from tests.support.convergence import sync_all
from tests.support.deadlines import until
from tests.support.relay_process import RelayProcess

_OPENER = "open" if sys.platform == "darwin" else "xdg-open"

#: A viewer that saves an annotation by a new file which takes the name of the one it opened.
_VIEWER = '#!/bin/sh\nprintf annotated > "$1.new"\nmv "$1.new" "$1"\n'


def open_file(computer: Computer, folder: Path) -> Path:
    """The path of the copy that a viewer was started on."""
    environment = computer.environment
    environment["PATH"] = f"{folder}:{environment['PATH']}"
    ended = subprocess.run(
        [BIFOLIO, "--json", "file", "open", "work0", "paper.pdf"],
        env=environment,
        capture_output=True,
        check=True,
        timeout=60,
    )
    return Path(json.loads(ended.stdout)["file"])


def test_an_annotated_copy_is_kept_offered_and_attached(tmp_path: Path, desk: Computer) -> None:
    make_library(desk, numbered_entries(2))
    paper = desk.home / "paper.pdf"
    paper.write_bytes(b"%PDF-1.7\n")  # as many bytes as the annotated one has
    desk.run("file", "add", "work0", paper)
    viewer = tmp_path / _OPENER
    viewer.write_text(_VIEWER)
    viewer.chmod(0o755)
    path = open_file(desk, tmp_path)
    until(lambda: path.read_bytes() == b"annotated", what="the viewer to save")
    viewer.write_text("#!/bin/sh\n")
    assert open_file(desk, tmp_path) == path
    assert path.read_bytes() == b"annotated"

    assert "was changed" in desk.call("list", exits=0).stderr
    (problem,) = desk.run("status")["refusals"]
    assert "'paper.pdf' of work0 was changed" in problem["reason"]
    assert "bifolio file add work0" in problem["next"]["text"]
    checks = {one["check"]: one for one in desk.run("doctor", exits=3)["checks"]}
    assert "was changed" in str(checks)
    # Old, and still nobody's but the user's.
    os.utime(path, (0, 0))
    desk.run("file", "clean")
    assert path.read_bytes() == b"annotated"

    desk.run("file", "add", "work0", path)
    assert desk.run("status")["refusals"] == []
    out = desk.home / "out.pdf"
    desk.run("file", "export", "work0", "paper.pdf", "-o", out)
    assert out.read_bytes() == b"annotated"


@pytest.mark.heavy
def test_the_file_of_a_purged_reference_that_comes_back_is_asked_for_and_sent_again(
    relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    share(relay.url, desk, laptop)
    paper = desk.home / "paper.pdf"
    paper.write_bytes(b"%PDF-1.7 the only copy")
    desk.run("file", "add", "work0", paper)
    sync_all(desk, laptop)
    laptop.run("edit", "work0", "note=Written away from the network")
    desk.run_all([("delete", "work0"), ("trash", "empty", "--yes"), ("file", "clean")])
    desk.run("sync")  # the relay drops its copy too
    sync_all(laptop, desk)
    sync_all(laptop, desk)
    (file,) = desk.run("file", "list", "work0")
    assert file["state"] == "here"
    desk.run("file", "export", "work0", "paper.pdf", "-o", desk.home / "out.pdf")
    assert (desk.home / "out.pdf").read_bytes() == paper.read_bytes()


def test_a_file_that_nobody_has_is_said_to_be_so_everywhere(desk: Computer) -> None:
    make_library(desk, numbered_entries(2))
    paper = desk.home / "paper.pdf"
    paper.write_bytes(b"%PDF-1.7 lost")
    (file,) = desk.run("file", "add", "work0", paper)
    (desk.library / "files" / file["hash"][:2] / file["hash"]).unlink()
    sentence = "no computer is known to have"
    assert sentence in desk.call("file", "list").stdout
    assert sentence in desk.call("show", "work0").stdout
    assert sentence in desk.call("status").stdout.lower()
    assert sentence in desk.call("doctor", exits=3).stdout.lower()
    assert "no computer" in desk.fails("file", "export", "work0", "paper.pdf", "-o", desk.home)
