"""What another member wrote, on its way into a ``.bib``: TeX reads that file and does what it says.

A block is written only where it is one well-formed block of its kind and, as a preamble, made of
commands that cannot do more than set type; a field's own TeX only where it holds none of the
commands that read, write or run something. May not know what a field means.
"""

from __future__ import annotations

import re
from typing import Final

from bifolio.formats.bibtex.blocks import BibtexBlock, split
from bifolio.formats.bibtex.macros import macro_definition
from bifolio.formats.bibtex.values import pieces, without_lone_braces

#: A command in TeX: a word, or one character.
_COMMAND: Final = re.compile(r"\\([A-Za-z@]+|.)", re.DOTALL)

#: ``^^5c`` is a backslash to TeX, whatever the text looks like.
_HIDDEN: Final = re.compile(r"\^\^")

#: A block of its own; ``@comment`` without braces is loose text.
_BLOCK: Final = re.compile(r"\s*@\s*(\w+)\s*[{(]")
_LOOSE_ENTRY: Final = "the text holds an @, which begins an entry"

_MACRO_NAME: Final = re.compile(r"[A-Za-z][\w:.+/-]*")

#: Commands that read or write files, run programs, or change what later text means.
_POWERFUL: Final = frozenset(
    """
    @@input @input AtBeginDocument AtEndDocument CatchFileDef DeclareRobustCommand
    IfFileExists InputIfFileExists PassOptionsToPackage RequirePackage ShellEscape
    afterassignment aftergroup batchmode catcode chardef closein closeout csname def
    directlua edef endlinechar errorstopmode escapechar everycr everydisplay everyeof
    everyhbox everyjob everymath everypar everyvbox expandafter filecontents futurelet gdef
    immediate import include input latelua lccode let lstinputlisting luacode luadirect
    luaescapestring luaexec luafunction makeatletter mathchardef mathcode newcommand
    newenvironment newread newwrite nonstopmode openin openout pdfcatalog pdfextension
    pdffiledump pdfliteral pdfmdfivesum pdfobj primitive providecommand read readline
    renewcommand renewenvironment scantextokens scantokens scrollmode shellescape special
    subfile subimport toksdef uccode usepackage verbatiminput write xdef
    """.split()
)

#: What a preamble of somebody else's may use: definitions, and commands that set type.
_HARMLESS: Final = frozenset(
    """
    AA AE H L O OE aa ae b bf bysame c cal cprime d def dots em emph ensuremath footnotesize
    hbox href i ignorespaces it j k kern l large ldots leavevmode lower mathbb mathbf mathcal
    mathit mathrm mbox natexlab newcommand noopsort o oe penalty polhk providecommand r raise
    relax renewcommand rm sc singleletter sl small ss switchargs t textbf textit textrm textsc
    textsl texttt textsuperscript tt u unskip url v
    """.split()
)

_DEFINED: Final = re.compile(
    r"\\(?:(?:new|renew|provide)command\s*\*?\s*\{?\s*|def\s*)\\([A-Za-z@]+)"
)


def is_powerful(raw: str) -> bool:
    """Whether TeX would do more with a raw value than set type."""
    if "\\" not in raw and "^^" not in raw:
        return False
    if _HIDDEN.search(raw):
        return True
    commands = set(_COMMAND.findall(raw))
    return not commands.isdisjoint(_POWERFUL) or (
        "begin" in commands
        and re.search(r"\\begin\s*\{\s*(?:filecontents|luacode)", raw) is not None
    )


def checked_block(text: str) -> tuple[str, str]:
    """A block of another member's as it may be written.

    Returns:
        the text, empty where it may not, and then why.
    """
    found = list(split(text))
    if len(found) != 1 or not isinstance(found[0], BibtexBlock) or found[0].problem:
        return "", "it is not one well-formed block"
    if found[0].free:
        # BibTeX reads an entry behind every @, wherever it is.
        return (text, "") if "@" not in text else ("", _LOOSE_ENTRY)
    if (definition := macro_definition(text)) is not None:
        return _checked_macro(*definition)
    inside = text[text.index("@") + 1 :]
    if "@" in inside:
        return "", "it holds an @, which begins an entry"
    if not is_balanced(text) or not text.endswith(("}", ")")):
        return "", "its braces are not balanced"
    if re.match(r"\s*@\s*preamble\b", text, re.IGNORECASE):
        return _checked_preamble(text)
    if re.match(r"\s*@\s*comment\b", text, re.IGNORECASE):
        return text, ""
    return "", "it is no block that BibTeX knows"


def undamaged_block(text: str) -> tuple[str, str]:
    """A block of a user's own file as it damages no entry: BibTeX begins one at every ``@`` outside
    of blocks, and a block that does not end swallows what follows.

    Returns:
        the text, empty where nothing of it can be written, and then why.
    """
    found = _BLOCK.match(text)
    if found is None:
        return (text, "") if "@" not in text else ("", _LOOSE_ENTRY)
    if (kind := found.group(1).lower()) == "string":
        definition = macro_definition(text)
        whole = definition is not None and _is_macro(*definition)
        return (text, "") if whole else ("", "it is no whole definition of a macro")
    if is_balanced(text) and text.rstrip().endswith(("}", ")")):
        return text, ""
    if kind == "comment":
        inner = without_lone_braces(text[found.end() :])
        return f"{text[: found.start(1)]}{found.group(1)}{{{inner}}}", ""
    return "", "its braces are not balanced"


def _is_macro(name: str, raw: str) -> bool:
    """Whether every program reads the definition."""
    if not _MACRO_NAME.fullmatch(name) or not is_balanced(raw):
        return False
    return all(map(_is_piece, pieces(raw)))


def _checked_macro(name: str, raw: str) -> tuple[str, str]:
    if not _MACRO_NAME.fullmatch(name):
        return "", "the macro's name is none that BibTeX can read"
    written = f"@string{{{name} = {raw}}}"
    if not is_balanced(written) or macro_definition(written) != (name, raw):
        return "", "the macro's text is not balanced"
    if not all(map(_is_piece, pieces(raw))):
        return "", "the macro's text does not end"
    if is_powerful(raw):
        return "", "the macro holds a TeX command that reads, writes or runs something"
    return written, ""


def _is_piece(piece: tuple[str, str]) -> bool:
    """Whether a part of a macro's text is closed: in braces, in quotation marks, or a name."""
    delimiter, text = piece
    if not delimiter:
        return text.isdigit() or _MACRO_NAME.fullmatch(text) is not None
    return is_balanced(text) and (delimiter == "{" or '"' not in text)


def _checked_preamble(text: str) -> tuple[str, str]:
    defined = set(_DEFINED.findall(text))
    used = {one for one in _COMMAND.findall(text) if one[0].isalpha() or one[0] == "@"}
    foreign = used - _HARMLESS - defined
    if _HIDDEN.search(text) or foreign:
        named = ", ".join(f"\\{one}" for one in sorted(foreign)[:3]) or "hidden characters"
        return "", f"it holds TeX that could do more than set type ({named})"
    return text, ""


def is_balanced(text: str) -> bool:
    """Whether every brace is closed, counted as BibTeX counts: one behind a backslash too."""
    depth = 0
    for one in text:
        depth += (one == "{") - (one == "}")
        if depth < 0:
            return False
    return depth == 0
