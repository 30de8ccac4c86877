"""BibTeX, Biber and pandoc themselves, as Debian packages them: from the path, or unpacked.

``apt-get download`` and ``dpkg -x`` need no root; what they bring is used from its folder. Nothing
is skipped where they cannot be had: the test that asks for them fails and says so.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

#: The Debian package of each program.
PACKAGES = {"bibtex": "texlive-binaries", "biber": "biber", "pandoc": "pandoc"}

#: BibTeX's own tables, as a TeX distribution's settings have them: 5,000 names are too few.
_SIZES = {"hash_size": "400000", "max_strings": "200000"}

#: Biber gives every name an id, and its module takes a millisecond for each: half of its time.
_UNIQUE_IDS = """package Data::Uniqid;
require Exporter; our @ISA = qw(Exporter); our @EXPORT_OK = qw(suniqid uniqid luniqid);
my $count = 0;
sub suniqid { return 'u' . ++$count } sub uniqid { return suniqid() } sub luniqid { suniqid() }
1;
"""

_READ_ENTRY = re.compile(r"^@(?!(?:COMMENT|STRING|PREAMBLE)\b)\w+\{([^,\n]*),", re.MULTILINE)

_STYLE = r"""ENTRY { title } { } { }
FUNCTION {out} { cite$ write$ newline$ }
FUNCTION {default.type} { out }
READ
ITERATE {call.type$}
"""


def program(name: str, folder: Path) -> str:
    """The path of a program; unpacked below the folder where the computer has it not.

    Raises:
        RuntimeError: it is not here and cannot be downloaded.
    """
    if (found := shutil.which(name)) is not None:
        return found
    folder.mkdir(parents=True, exist_ok=True)
    package = PACKAGES[name]
    for command in (["apt-get", "download", package], ["dpkg", "-x"]):
        whole = [*command, *map(str, folder.glob(f"{package}_*.deb")), str(folder)]
        run = subprocess.run(
            whole if command[0] == "dpkg" else command,
            cwd=folder, capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip
        if run.returncode:
            raise RuntimeError(f"{name} is not here, and {package} cannot be had: {run.stderr}")
    return str(folder / "usr" / "bin" / name)


def read_by_bibtex(bibtex: str, bib: Path, folder: Path) -> tuple[list[str], list[str]]:
    """(the keys that BibTeX read, what it complained of)."""
    (folder / "m.bst").write_text(_STYLE)
    shutil.copyfile(bib, folder / "r.bib")
    (folder / "r.aux").write_text("\\citation{*}\n\\bibstyle{m}\n\\bibdata{r}\n")
    run = subprocess.run(
        [bibtex, "-min-crossrefs=1000", "r"], cwd=folder, capture_output=True, timeout=300,
        check=False,
        env={"PATH": "/usr/bin:/bin", "BSTINPUTS": ".", "BIBINPUTS": "."} | _SIZES,
    )  # fmt: skip
    said = run.stdout.decode("utf-8", errors="replace")
    bbl = folder / "r.bbl"
    text = bbl.read_text(encoding="utf-8", errors="replace") if bbl.exists() else ""
    faults = [line for line in said.split("\n") if "---line" in line or "I was expecting" in line]
    return "".join(text.split("%\n")).split("\n")[:-1], faults


def read_by_biber(biber: str, bib: Path, folder: Path) -> tuple[list[str], list[str]]:
    """(the keys of the entries that Biber read, what it said of those that it left out)."""
    out = folder / "biber.bib"
    out.unlink(missing_ok=True)  # Biber may end without writing any
    module = folder / "perl" / "Data" / "Uniqid.pm"
    module.parent.mkdir(parents=True, exist_ok=True)
    module.write_text(_UNIQUE_IDS)
    run = subprocess.run(
        [biber, "--tool", "--nolog", f"--output-file={out}", str(bib)],
        cwd=folder, capture_output=True, timeout=900, check=False,
        env={**os.environ, "PERL5LIB": str(module.parents[1])},
    )  # fmt: skip
    said = (run.stdout + run.stderr).decode("utf-8", errors="replace")
    left_out = [one for one in said.split("\n") if "ERROR -" in one or "skipping" in one]
    text = out.read_text(encoding="utf-8", errors="replace") if out.exists() else ""
    return _READ_ENTRY.findall(text), left_out


def read_by_pandoc(pandoc: str, bib: Path, dialect: str) -> tuple[list[str], str]:
    """(the keys of the references that pandoc read, what it said)."""
    run = subprocess.run(
        [pandoc, "-f", dialect, "-t", "csljson", str(bib)],
        capture_output=True, timeout=600, check=False,
    )  # fmt: skip
    said = run.stderr.decode("utf-8", errors="replace")
    if run.returncode:
        return [], said
    return [str(one["id"]) for one in json.loads(run.stdout.decode("utf-8"))], said
