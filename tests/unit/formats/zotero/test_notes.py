"""Zotero's notes, which are HTML, and its annotations, as text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.support.cases import each

from bifolio.formats.zotero.notes import annotation_text, note_text


@each(
    ("html", "text"),
    [
        ('<div class="zotero-note znv1"><p>MR 40-7102</p></div>', "MR 40-7102"),
        ("plain words", "plain words"),
        ("<p>one</p>\n<p>two\n lines</p>", "one\ntwo lines"),
        ("<h2>Head</h2><p>a <em>b</em> <strong>c</strong> H<sub>2</sub>O</p>",
         "## Head\na <i>b</i> <b>c</b> H<sub>2</sub>O"),
        ("<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul>", "- a\n  - b\n- c"),
        ("<ol><li>a</li><li>b</li></ol>", "1. a\n2. b"),
        ("<blockquote><p>said</p></blockquote><p>so</p>", "> said\nso"),
        ('<p>see <a href="https://a.org/x">here</a></p>', "see here (https://a.org/x)"),
        ('<p><a href="https://a.org">https://a.org</a></p>', "https://a.org"),
        ('<p><img data-attachment-key="K" alt="Fig. 1"></p>', "[picture: Fig. 1]"),
        ("<p>a<br>b &amp; c &lt; d</p>", "a\nb & c < d"),
        ("<pre>x\n  y</pre>", "x\n  y"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a | b\nc"),
        ("<style>p {}</style><script>x()</script><p>seen</p>", "seen"),
        ("<p>cut off <b>here", "cut off <b>here"),
        ("", ""),
    ],
)  # fmt: skip
def test_a_note_reads_as_it_is_shown(html: str, text: str) -> None:
    assert note_text(html) == text


@given(st.text())
def test_no_note_stops_an_import(html: str) -> None:
    assert isinstance(note_text(html), str)


@given(st.lists(st.text("abcäö,. ", min_size=1).filter(str.strip), min_size=1))
def test_every_word_of_a_note_is_in_its_text(words: list[str]) -> None:
    html = "".join(f"<p>{word}</p>" for word in words)
    assert note_text(html).split() == " ".join(words).split()


@each(
    ("annotation", "text"),
    [
        ({"type": "1", "text": "marked", "page": "3"}, "> marked (p. 3)"),
        ({"type": "1", "text": "two\nlines", "comment": "why?"}, "> two\n> lines\nwhy?"),
        ({"type": "2", "comment": "a note", "page": "iv"}, "a note (p. iv)"),
        ({"type": "3", "page": "3"}, "> [a picture from the PDF] (p. 3)"),
        ({"type": "4"}, "> [a drawing on the PDF]"),
        ({"type": "1", "text": "x", "tags": ["a", "b c"]}, "> x\n#a #b c"),
        ({}, ""),
    ],
)
def test_an_annotation_quotes_what_it_marks(annotation: dict[str, object], text: str) -> None:
    assert annotation_text(annotation) == text
