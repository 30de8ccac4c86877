"""BibTeX, Biber and pandoc themselves read every ``.bib`` that is exported from the real files."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.tex_programs import PACKAGES, program, read_by_biber, read_by_pandoc
from tests.support.tex_programs import read_by_bibtex as read_by_real_bibtex

from bifolio import Library
from bifolio.errors import BifolioError

_REPOSITORY = Path(__file__).parents[2]
CORPORA = Path(os.environ.get("BIFOLIO_CORPORA") or _REPOSITORY.parent / "shared" / "corpora")

#: Biber and pandoc take a second to start: each reads the entries of many files at once, about so
#: many.
_ENTRIES_AT_ONCE = 1_500
#: A file whose entries name each other is read under its own keys.
_LINK = re.compile(r"^\s*(?:crossref|xdata)\s*=", re.MULTILINE | re.IGNORECASE)
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


def check_by_bibtex(path: Path, programs: dict[str, str], folder: Path) -> list[str]:
    """What BibTeX reads otherwise than it was written."""
    keys = keys_of(path.read_text(encoding="utf-8"))
    read, said = read_by_real_bibtex(programs["bibtex"], path, folder)
    # BibTeX tells no capitals from small letters; a key that is there twice was named.
    wanted = len({key.lower() for key in keys})
    return [] if len(read) == wanted else [f"bibtex read {len(read)} of {wanted}: {said[:3]}"]


def keys_of(text: str, *, works_only: bool = False) -> list[str]:
    """The keys of a text's entries.

    Args:
        works_only: without those of ``@xdata``, which only lend their fields: pandoc lists none.
    """
    return [one.group(1) for one in _KEY.finditer(text) if not works_only or not is_lent(one)]


def is_lent(entry: re.Match[str]) -> bool:
    return entry.group().lower().startswith("@xdata{")


def by_biber(text: str, programs: dict[str, str], folder: Path) -> tuple[list[str], list[str], str]:
    """(the keys of a text, those of them that Biber read, what it said)."""
    (folder / "joined.bib").write_text(text, encoding="utf-8")
    read, said = read_by_biber(programs["biber"], folder / "joined.bib", folder)
    wanted = list(dict.fromkeys(keys_of(text)))
    missing = set(wanted) - set(read)
    named = [one for one in said if any(f"'{key}'" in one for key in missing)]
    return wanted, read, str((named or said)[:3])


def by_pandoc(
    text: str, programs: dict[str, str], folder: Path
) -> tuple[list[str], list[str], str]:
    """(the keys of a text, those of them that pandoc read, what it said)."""
    (folder / "joined.bib").write_text(text, encoding="utf-8")
    read, said = read_by_pandoc(programs["pandoc"], folder / "joined.bib", folder.name.split()[0])
    return list(dict.fromkeys(keys_of(text, works_only=True))), read, said[:300]


def check_together(
    paths: list[Path],
    texts: list[str],
    reader: Callable[[str, dict[str, str], Path], tuple[list[str], list[str], str]],
    programs: dict[str, str],
    folder: Path,
) -> list[str]:
    """What a program reads otherwise than it was written, all files at once; each file of which
    it read more or less than that by itself, as it is."""
    folder.mkdir(exist_ok=True)
    own = [with_own_keys(text, f"f{place}-") for place, text in enumerate(texts)]
    wanted, read, said = reader("\n".join(own), programs, folder)
    of_file = [Counter(key.split("-", 1)[0] for key in set(keys)) for keys in (wanted, read)]
    wrong = [
        place for place in range(len(paths)) if of_file[0][f"f{place}"] != of_file[1][f"f{place}"]
    ]
    faults = []
    for place in wrong:
        text = paths[place].read_text(encoding="utf-8")
        wanted, read, said = reader(text, programs, folder)
        if set(wanted) != set(read):
            named = sorted(set(wanted) ^ set(read))[:5]
            counts = f"{len(set(read))} of {len(wanted)}, {named}"
            faults.append(f"{paths[place]}: {reader.__name__} {counts}: {said}")
    if wrong and not faults:
        some = ", ".join(str(paths[place]) for place in wrong[:5])
        faults = [f"{reader.__name__}: {some} next to other files: {said}"]
    return faults


def with_own_keys(text: str, prefix: str) -> str:
    """The entries of a file under keys that no other file has."""
    return _KEY.sub(
        lambda found: found.group().replace("{" + found.group(1), "{" + prefix + found.group(1), 1),
        text,
    )


def new_entries(text: str, seen: set[str]) -> str:
    """A file without the entries that another one had too, but for their keys: most of what both
    dialects say alike. What is before the first entry stays."""
    found = list(_KEY.finditer(text))
    ends = [*(one.start() for one in found[1:]), len(text)]
    kept = [text[: found[0].start()]] if found else [text]
    for entry, end in zip(found, ends, strict=True):
        body = text[entry.start() : entry.start(1)] + text[entry.end(1) : end].rstrip()
        if body not in seen:
            seen.add(body)
            kept.append(text[entry.start() : end])
    return "".join(kept)


def batches(paths: list[Path], texts: list[str]) -> Iterator[tuple[list[Path], list[str]]]:
    """The files in runs of so many entries as a program reads at once."""
    batch: tuple[list[Path], list[str]] = ([], [])
    entries = 0
    for path, text in zip(paths, texts, strict=True):
        if not (count := len(keys_of(text))):
            continue
        if batch[0] and entries + count > _ENTRIES_AT_ONCE:
            yield batch
            batch, entries = ([], []), 0
        batch[0].append(path)
        batch[1].append(text)
        entries += count
    if batch[0]:
        yield batch


def check_all(written: dict[str, list[Path]], programs: dict[str, str], folder: Path) -> list[str]:
    """What Biber and pandoc read otherwise than it was written, of all files of each dialect."""
    faults: list[str] = []
    seen: set[str] = set()
    for dialect, paths in written.items():
        texts = [path.read_text(encoding="utf-8") for path in paths]
        alone = {path for path, text in zip(paths, texts, strict=True) if _LINK.search(text)}
        pairs = [*zip(paths, texts, strict=True)]
        joint = [pair for pair in pairs if pair[0] not in alone]
        runs = [*batches([path for path, _ in joint], [text for _, text in joint])]
        runs += [([path], [text]) for path, text in pairs if path in alone]
        for number, (some, own) in enumerate(runs):
            faults += check_together(
                some, own, by_pandoc, programs, folder / f"{dialect} p{number}"
            )
        fresh = [new_entries(text, seen) for text in texts]
        for number, (some, own) in enumerate(batches(paths, fresh)):
            faults += check_together(some, own, by_biber, programs, folder / f"{dialect} b{number}")
    return faults


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
            said = check_by_bibtex(path, programs, folder)
            faults += [f"{file.name}, {path.stem}: {one}" for one in said]
            written[path.stem].append(path)
    faults += check_all(written, programs, tmp_path)
    assert not faults, "\n".join(faults)


@pytest.mark.heavy
def test_what_is_hard_to_write_is_read_whole(
    programs: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BIFOLIO_HOME", str(tmp_path / "home"))
    (tmp_path / "small.bib").write_text(SMALL, encoding="utf-8")
    paths = list(exported(tmp_path / "small.bib", tmp_path))
    assert paths
    assert [one for path in paths for one in check_by_bibtex(path, programs, tmp_path)] == []
    assert check_all({path.stem: [path] for path in paths}, programs, tmp_path) == []
