"""BibTeX, Biber and pandoc themselves read every ``.bib`` that is exported from the real files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.tex_programs import PACKAGES, count_by_biber, count_by_pandoc, program
from tests.support.tex_programs import read_by_bibtex as read_by_real_bibtex

from bifolio import Library
from bifolio.errors import BifolioError

_REPOSITORY = Path(__file__).parents[2]
CORPORA = Path(os.environ.get("BIFOLIO_CORPORA") or _REPOSITORY.parent / "shared" / "corpora")

#: Biber takes seconds to start, and seconds for a thousand entries: it reads the entries of many
#: files at once, up to this number; of a file that has more, BibTeX and pandoc alone read all.
_BIBER_ENTRIES_MAX = 1_500
_SLICES = 24
_SUFFIXES = frozenset({".bib", ".ris", ".enw", ".nbib", ".xml", ".json", ".ciw"})
_KEY = re.compile(
    r"^@(?!(?:comment|string|preamble)\b)\w+\{([^,\n]*),", re.MULTILINE | re.IGNORECASE
)

SMALL = """@string{jf = "Journal of Folding"}
@article{doe, author={Doe, Jane and {Folding {\\'E}quipe}}, title={R\\&D \\{ 50\\% \\textbraceleft}, journal=jf, year=2015}
@book{roe, title={Żółć {\\(x_1\\)} #1 ~ $2^3$}, editor={Roe, R.}, note={a @ b}, ranking={rank3}, groups={A, B}}
@misc{poe, title={{Nested {Braces}}}, url={http://example.org/a_b%20c#d}, file={:a.pdf:PDF}}
"""  # noqa: E501


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The programs by name; where one cannot be had, the test fails and says so."""
    folder = tmp_path_factory.mktemp("programs")
    return {name: program(name, folder / name) for name in PACKAGES}


def exported(file: Path, folder: Path) -> Iterator[Path]:
    """The ``.bib`` of a file's references in each dialect; none where nothing of it is read, and
    one where both are the same text, as most are that were BibTeX before."""
    texts = set()
    with Library.create(folder / "a.bifolio", name="a") as library:
        try:
            library.import_files([file])
        except BifolioError:
            return
        for dialect in ("bibtex", "biblatex"):
            path = folder / f"{dialect}.bib"
            with path.open("wb") as out:
                report = library.export(out, format=dialect)
            if report.exported and (text := path.read_bytes()) not in texts:
                texts.add(text)
                yield path


def check(path: Path, programs: dict[str, str], folder: Path) -> list[str]:
    """What BibTeX and pandoc read otherwise than it was written."""
    keys = keys_of(path)
    faults = []
    read, said = read_by_real_bibtex(programs["bibtex"], path, folder)
    # BibTeX tells no capitals from small letters; a key that is there twice was named.
    if len(read) != len({key.lower() for key in keys}):
        faults.append(f"bibtex read {len(read)} of {len(keys)}: {said[:3]}")
    works = keys_of(path, works_only=True)
    count, words = count_by_pandoc(programs["pandoc"], path, path.stem)
    if count not in (len(works), len(set(works))):
        faults.append(f"pandoc read {count} of {len(works)}: {words[:300]}")
    return faults


def keys_of(path: Path, *, works_only: bool = False) -> list[str]:
    """The keys of a file's entries.

    Args:
        works_only: without those of ``@xdata``, which only lend their fields: pandoc lists none.
    """
    text = path.read_text(encoding="utf-8")
    return [one.group(1) for one in _KEY.finditer(text) if not works_only or not is_lent(one)]


def is_lent(entry: re.Match[str]) -> bool:
    # What begins like ``@comment`` is a comment to pandoc, jurabib's ``@commented`` too.
    return entry.group().lower().startswith(("@xdata{", "@commented{"))


def check_by_biber(paths: list[Path], programs: dict[str, str], folder: Path) -> list[str]:
    """What Biber reads otherwise than it was written, all files at once; the file by itself where
    that is so of several together."""
    folder.mkdir(exist_ok=True)
    counts = [len(set(keys_of(path))) for path in paths]
    joined = folder / "joined.bib"
    joined.write_text(
        "\n".join(with_own_keys(path, f"f{place}-") for place, path in enumerate(paths)),
        encoding="utf-8",
    )
    read, errors, skipped = count_by_biber(programs["biber"], joined, folder)
    if read + skipped in (sum(counts), sum(len(keys_of(path)) for path in paths)):
        return []
    if len(paths) == 1:
        return [f"{paths[0]}: biber read {read} of {counts[0]}: {errors[:3]}"]
    half = len(paths) // 2
    return [
        fault
        for place, part in enumerate((paths[:half], paths[half:]))
        for fault in check_by_biber(part, programs, folder / str(place))
    ] or [f"biber read {read} of {sum(counts)} of {len(paths)} files together: {errors[:3]}"]


def with_own_keys(path: Path, prefix: str) -> str:
    """The entries of a file under keys that no other file has."""
    return _KEY.sub(
        lambda found: found.group().replace("{" + found.group(1), "{" + prefix + found.group(1), 1),
        path.read_text(encoding="utf-8"),
    )


def batches(paths: list[Path]) -> Iterator[list[Path]]:
    """The files in runs of so many entries as Biber reads at once."""
    batch: list[Path] = []
    entries = 0
    for path in paths:
        count = len(keys_of(path))
        if count > _BIBER_ENTRIES_MAX:
            continue
        if batch and entries + count > _BIBER_ENTRIES_MAX:
            yield batch
            batch, entries = [], 0
        batch.append(path)
        entries += count
    if batch:
        yield batch


def files() -> list[Path]:
    """All files, the largest first: of every slice one of each size."""
    found = (one for one in CORPORA.rglob("*") if one.suffix.lower() in _SUFFIXES)
    return sorted(found, key=lambda one: (-one.stat().st_size, str(one)))


@pytest.mark.heavy
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("place", range(_SLICES))
def test_every_bib_exported_from_a_real_file_is_read_whole(
    place: int, programs: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not CORPORA.is_dir():
        pytest.skip(f"the corpora are not at {CORPORA}; set BIFOLIO_CORPORA to their folder")
    monkeypatch.setenv("BIFOLIO_HOME", str(tmp_path / "home"))
    faults: list[str] = []
    written: dict[str, list[Path]] = {"bibtex": [], "biblatex": []}
    for number, file in enumerate(files()[place::_SLICES]):
        folder = tmp_path / f"{number} {file.stem[:40]}"
        folder.mkdir()
        for path in exported(file, folder):
            faults += [f"{file.name}, {path.stem}: {one}" for one in check(path, programs, folder)]
            written[path.stem].append(path)
    for dialect, paths in written.items():
        for batch, some in enumerate(batches(paths)):
            faults += check_by_biber(some, programs, tmp_path / f"{dialect} {batch}")
    assert not faults, "\n".join(faults)


@pytest.mark.heavy
def test_what_is_hard_to_write_is_read_whole(
    programs: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BIFOLIO_HOME", str(tmp_path / "home"))
    (tmp_path / "small.bib").write_text(SMALL, encoding="utf-8")
    paths = list(exported(tmp_path / "small.bib", tmp_path))
    assert [path.stem for path in paths] == ["bibtex", "biblatex"]
    assert [one for path in paths for one in check(path, programs, tmp_path)] == []
    assert check_by_biber(paths, programs, tmp_path / "biber") == []
