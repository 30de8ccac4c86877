"""``bifolio cite`` and ``export --watch`` as a writer of a paper uses them."""

from __future__ import annotations

from tests.support.computer import Computer


def test_references_are_cited_in_a_style_as_text_and_html(desk: Computer) -> None:
    desk.run("init")
    fields = ("author=Doe, Jane", "issued=2024", "publisher=Roe & Sons")
    desk.run("add", "--type", "book", "title=On <i>Folding</i>", "key=doe2024", *fields)
    cited = desk.run("cite", "doe2024")
    assert cited["citation"] == "(Doe, 2024)"
    assert cited["bibliography"] == ["Doe, J. (2024). On Folding. Roe & Sons."]
    html = desk.call("cite", "doe2024", "--html", "--style", "ieee", exits=0).stdout
    assert "<i>Folding</i>" in html
    assert "Roe &amp; Sons" in html
    assert "Did you mean" in desk.fails("cite", "doe2024", "--style", "apaa")
    assert "apa" in desk.run("cite", "--styles", "apa")
    assert "nobody" in desk.fails("cite", "doe2024", "nobody")
    assert "what to cite" in desk.fails("cite", exits=2)
