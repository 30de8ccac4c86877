"""Real full and read-only disks: small file systems, mounted for one test in a space of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.support.computer import BIFOLIO, Computer


def in_mount(script: str, computer: Computer, *values: Path) -> subprocess.CompletedProcess[str]:
    """Run a shell's script where it may mount; skipped where the system does not permit that."""
    unshare = shutil.which("unshare")
    if unshare is None:
        pytest.skip("there is no unshare")
    prefix = [unshare, "-rm", "sh", "-c"]
    if subprocess.run([*prefix, "mount -t tmpfs none /mnt"], capture_output=True).returncode:
        pytest.skip("nothing may be mounted here")
    environment = computer.environment | {"B": BIFOLIO, "PATH": os.environ["PATH"]}
    return subprocess.run(
        [*prefix, script, "sh", *map(str, values)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_a_library_on_a_full_disk_says_so_and_can_be_read(desk: Computer, tmp_path: Path) -> None:
    desk.run("init")
    desk.run("add", "title=On Sync", "type=book", "citation-key=sync")
    script = """
        mount -t tmpfs -o size=3m none /mnt && cp -r "$1" /mnt/Full.bifolio
        dd if=/dev/zero of=/mnt/filler bs=4096 2>/dev/null
        $B -L /mnt/Full.bifolio list || echo FAILED list
        $B -L /mnt/Full.bifolio show sync || echo FAILED show
        $B -L /mnt/Full.bifolio export -o "$2" || echo FAILED export
        $B -L /mnt/Full.bifolio add title=More type=book && echo ADDED
    """
    done = in_mount(script, desk, desk.library, tmp_path / "out.bib")
    assert "FAILED" not in done.stdout, done.stdout + done.stderr
    assert "ADDED" not in done.stdout
    assert "On Sync" in done.stdout
    assert "full" in done.stderr
    assert "On Sync" in (tmp_path / "out.bib").read_text()


@pytest.mark.heavy
def test_a_library_on_read_only_media_can_be_read(desk: Computer, tmp_path: Path) -> None:
    desk.run("init")
    desk.run("add", "title=On Sync", "type=book", "citation-key=sync")
    script = """
        mount -t tmpfs none /mnt && cp -r "$1" /mnt/Still.bifolio && mount -o remount,ro /mnt
        for verb in list "show sync" "search sync" "backup create -o $2"; do
            $B -L /mnt/Still.bifolio $verb || echo FAILED $verb
        done
        $B -L /mnt/Still.bifolio add title=More type=book && echo ADDED
    """
    done = in_mount(script, desk, desk.library, tmp_path / "kept.bifolio-backup")
    assert "FAILED" not in done.stdout, done.stdout + done.stderr
    assert "ADDED" not in done.stdout
    assert "read-only" in done.stderr
    assert (tmp_path / "kept.bifolio-backup").is_file()
