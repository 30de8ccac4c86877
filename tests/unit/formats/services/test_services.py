"""Files of search services and other programs, read as they mean them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.formats.files import Loaded, load_content

from bifolio.errors import FileFormatError
from bifolio.records.names import Name
from bifolio.records.reference import Values

WOS = """FN Clarivate Analytics Web of Science
VR 1.0
PT J
AU Doe, J
   van Roe, RA
AF Doe, Jane
   van Roe, Richard A.
TI On the Folding of Paper in
   Two Halves
SO JOURNAL OF FOLDING
LA English
DT Article
DE paper; folded
   sheets; glue
ID BOOK-BINDING
AB A sheet is folded once. It has
   two leaves.
C1 [Doe, Jane] Univ Somewhere, Dept Paper, Somewhere.
PU PAPER PRESS
PI SOMEWHERE
SN 1234-5679
EI 2345-6784
J9 J FOLDING
JI J. Fold.
PD SEP-OCT
PY 2019
VL 12
IS 3
BP A1-1
EP A1-9
DI 10.1000/fold.1
PM 31234567
WC Paper Science
UT WOS:000123456700001
ER

PT S
AU Poe, EA
BE Doe, J
TI A Chapter on Glue
SO THE BOOK OF BINDING, VOL 2
SE Binding Series
PY 2001
PD SPR
BN 978-0-306-40615-7
UT WOS:000123456700002
ER

PT B
AU Chen, L
CA Folding Consortium
TI Sheets in Conference
SO 3RD CONFERENCE ON SHEETS
DT Proceedings Paper
CT 3rd Conference on Sheets
CY MAR 03-05, 2005
CL Oslo, NORWAY
PY 2005
AR 17
UT WOS:000123456700003
ER

PT P
AU YANG Y
TI Folding machine
PN CN110836969-A
UT DIIDW:2020000001
ER

EF
"""


def values(tmp_path: Path, text: str, name: str) -> list[Values]:
    loaded = load_content(tmp_path, text, name)
    assert loaded.skipped == []
    return loaded.values()


@pytest.mark.parametrize("name", ["a.ciw", "savedrecs.txt"])
def test_web_of_science_is_read(tmp_path: Path, name: str) -> None:
    article, chapter, paper, patent = values(tmp_path, WOS, name)
    assert article["type"] == "article-journal"
    assert article["author"] == (
        Name("Doe", "Jane"),
        Name("Roe", "Richard A.", non_dropping_particle="van"),
    )
    assert article["title"] == "On the Folding of Paper in Two Halves"
    assert article["container-title"] == "JOURNAL OF FOLDING"
    assert article["container-title-short"] == "J. Fold."
    assert article["issued"] == {"date-parts": [[2019, 9], [2019, 10]]}
    assert (article["volume"], article["issue"], article["page"]) == ("12", "3", "A1-1–A1-9")
    assert (article["DOI"], article["PMID"]) == ("10.1000/fold.1", "31234567")
    assert article["ISSN"] == ("1234-5679", "2345-6784")
    assert article["tags"] == ("paper", "folded sheets", "glue", "BOOK-BINDING")
    assert article["accession-number"] == "WOS:000123456700001"
    assert article["x.wos.WC"] == ("Paper Science",)
    assert chapter["type"] == "chapter"
    assert chapter["editor"] == (Name("Doe", "J"),)
    assert chapter["container-title"] == "THE BOOK OF BINDING, VOL 2"
    assert chapter["collection-title"] == "Binding Series"
    assert chapter["issued"] == {"date-parts": [[2001]], "season": 1}
    assert paper["type"] == "paper-conference"
    assert paper["author"] == (Name("Chen", "L"), Name(literal="Folding Consortium"))
    assert (paper["event-title"], paper["event-place"]) == (
        "3rd Conference on Sheets",
        "Oslo, NORWAY",
    )
    assert paper["article-number"] == "17"
    assert (patent["type"], patent["number"]) == ("patent", "CN110836969-A")
    assert patent["author"] == (Name("YANG", "Y"),)


OVID = """
<1. >
VN  - Ovid Technologies
DB  - PaperINFO
AN  - Peer Reviewed Journal: 2015-33942-012.
AU  - Doe, Jane Ph.D.
AU  - van Roe, Richard A. MD, MPH 1,2
TI  - On folding. [Article]
SO  - Journal of Folding. Vol.43(5), Sep 2015, pp. 623-634.
IS  - 1352-4658
PT  - Journal Article
DO  - https://dx.doi.org/10.1000/fold.2
LG  - English

<2. >
VN  - Ovid Technologies
TI  - Glue
SO  - Journal Of Glue June 2015;58(6):688-696

<3. >
VN  - Ovid Technologies
AU  - Poe, E. A. [Author]
TI  - A part of it.
SO  - Doe, Jane [Editor], Roe, R. [Editor]. The whole book.:37-39, 2004.
PT  - Book Chapter
IB  - 0-306-40615-2 (cloth)
"""

OVID_LABELS = """<1>
Accession Number
  20201234
Author
  Doe J.
  Roe R.A.
Title
  On paper.
Source
  Paper Science. 25 (3) (pp 210-215), 2010. Date of Publication: May 2010.
Publication Type
  Article
"""


def test_ovid_is_read(tmp_path: Path) -> None:
    one, two, three = values(tmp_path, OVID, "a.txt")
    assert one["author"] == (
        Name("Doe", "Jane"),
        Name("Roe", "Richard A.", non_dropping_particle="van"),
    )
    assert (one["title"], one["container-title"]) == ("On folding", "Journal of Folding")
    assert (one["volume"], one["issue"], one["page"]) == ("43", "5", "623-634")
    assert one["issued"] == {"date-parts": [[2015, 9]]}
    assert one["DOI"] == "10.1000/fold.2"
    assert one["accession-number"] == "Peer Reviewed Journal: 2015-33942-012"
    assert (two["container-title"], two["volume"], two["page"]) == (
        "Journal Of Glue",
        "58",
        "688-696",
    )
    assert two["issued"] == {"date-parts": [[2015, 6]]}
    assert three["type"] == "chapter"
    assert three["author"] == (Name("Poe", "E. A."),)
    assert three["editor"] == (Name("Doe", "Jane"), Name("Roe", "R."))
    assert (three["container-title"], three["page"]) == ("The whole book", "37-39")
    assert three["ISBN"] == ("0-306-40615-2",)


def test_ovid_with_labels_is_read(tmp_path: Path) -> None:
    (one,) = values(tmp_path, OVID_LABELS, "a.txt")
    assert one["author"] == (Name("Doe", "J."), Name("Roe", "R.A."))
    assert (one["title"], one["container-title"]) == ("On paper", "Paper Science")
    assert (one["volume"], one["issue"], one["page"]) == ("25", "3", "210-215")
    assert one["type"] == "article-journal"
    assert one["issued"] == {"date-parts": [[2010]]} or one["issued"] == {"date-parts": [[2010, 5]]}


REFWORKS = """Refworks Export Tagged Format

Character Set=utf-8

Tag legend
*****
RT=Reference Type
A1=Primary Authors
*****
BEGIN EXPORTED REFERENCES


RT Journal Article
SR Electronic(1)
ID 271
A1 Doe,Jane
A1 Roe,Richard A.
T1 On folding
JF Journal of Folding
JO J. Fold.
YR 2003
FD 02/14
VO 32
IS 3
SP 551
OP 565
K1 paper
K1 glue
SN 1234-5679
NO doi: 10.1000/fold.3
LK http://example.org/a
OL Unknown(0)

RT Book, Section
SR Print(0)
ID 272
A1 Poe,E. A.
A2 Doe,Jane
T1 A part
T2 The whole
YR 2002
PB Paper Press
PP Oslo
SN 0306406152 (paperback)
"""


def test_refworks_is_read(tmp_path: Path) -> None:
    article, part = values(tmp_path, REFWORKS, "a.txt")
    assert article["author"] == (Name("Doe", "Jane"), Name("Roe", "Richard A."))
    assert (article["container-title"], article["container-title-short"]) == (
        "Journal of Folding",
        "J. Fold.",
    )
    assert article["issued"] == {"date-parts": [[2003, 2, 14]]}
    assert article["page"] == "551-565"
    assert article["DOI"] == "10.1000/fold.3"
    assert article["tags"] == ("paper", "glue")
    assert part["type"] == "chapter"
    assert part["editor"] == (Name("Doe", "Jane"),)
    assert (part["container-title"], part["ISBN"]) == ("The whole", ("0306406152",))


PUBMED_XML = """<?xml version="1.0" ?>
<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle, 1st January 2019//EN"
 "https://dtd.nlm.nih.gov/ncbi/pubmed/out/pubmed_190101.dtd">
<PubmedArticleSet>
<PubmedArticle><MedlineCitation Status="MEDLINE" Owner="NLM"><PMID Version="1">31234567</PMID>
<Article><Journal><ISSN IssnType="Electronic">1234-5679</ISSN><JournalIssue><Volume>35</Volume>
<Issue>5</Issue><PubDate><MedlineDate>2010 Sep-Oct</MedlineDate></PubDate></JournalIssue>
<Title>Folding</Title></Journal><ArticleTitle>On <i>folding</i> &amp; glue.</ArticleTitle>
<Pagination><MedlinePgn>205-7</MedlinePgn></Pagination>
<ELocationID EIdType="doi">10.1000/fold.4</ELocationID>
<Abstract><AbstractText Label="AIM">To fold.</AbstractText>
<AbstractText>It folds.</AbstractText></Abstract>
<AuthorList><Author><LastName>Doe</LastName><ForeName>Jane</ForeName><Initials>J</Initials></Author>
<Author><CollectiveName>Folding Group</CollectiveName></Author></AuthorList>
<Language>eng</Language>
<PublicationTypeList><PublicationType>Journal Article</PublicationType></PublicationTypeList>
</Article><MedlineJournalInfo><MedlineTA>Fold</MedlineTA></MedlineJournalInfo>
<MeshHeadingList><MeshHeading><DescriptorName>Paper</DescriptorName>
<QualifierName>history</QualifierName></MeshHeading></MeshHeadingList></MedlineCitation>
<PubmedData><ArticleIdList><ArticleId IdType="pmc">PMC123456</ArticleId></ArticleIdList>
</PubmedData></PubmedArticle>
<PubmedBookArticle><BookDocument><PMID>21234567</PMID><Book><Publisher>
<PublisherName>Paper Press</PublisherName></Publisher><BookTitle>The Book</BookTitle>
<PubDate><Year>2011</Year></PubDate></Book><ArticleTitle>A part</ArticleTitle>
<AuthorList Type="authors"><Author><LastName>Roe</LastName><ForeName>R</ForeName></Author>
</AuthorList></BookDocument></PubmedBookArticle>
</PubmedArticleSet>
"""


def test_pubmed_s_xml_gives_the_records_of_its_nbib(tmp_path: Path) -> None:
    article, part = values(tmp_path, PUBMED_XML, "a.xml")
    assert article["title"] == "On folding & glue."
    assert article["author"] == (Name("Doe", "Jane"), Name(literal="Folding Group"))
    assert article["issued"] == {"date-parts": [[2010, 9], [2010, 10]]}
    assert (article["DOI"], article["PMID"], article["PMCID"]) == (
        "10.1000/fold.4",
        "31234567",
        "PMC123456",
    )
    assert article["abstract"] == "AIM: To fold. It folds."
    assert article["tags"] == ("Paper/history",)
    assert (part["type"], part["container-title"], part["title"]) == (
        "chapter",
        "The Book",
        "A part",
    )
    nbib = "PMID- 31234567\nOWN - NLM\nTI  - Folding\n"
    loaded = load_content(tmp_path, PUBMED_XML, "b.xml")
    other = load_content(tmp_path, nbib, "b.nbib")
    assert loaded.references[0].source.format == other.references[0].source.format == "nbib"
    assert loaded.references[0].source.id == other.references[0].source.id


MODS = """<?xml version="1.0" encoding="UTF-8"?>
<modsCollection xmlns="http://www.loc.gov/mods/v3">
<mods version="3.4"><titleInfo><nonSort>The</nonSort><title>Fold</title>
<subTitle>a sheet</subTitle></titleInfo>
<name type="personal"><namePart type="given">Jane</namePart><namePart type="family">Doe</namePart>
<role><roleTerm type="text">author</roleTerm></role></name>
<typeOfResource>text</typeOfResource>
<relatedItem type="host"><titleInfo><title>Journal of Folding</title></titleInfo>
<originInfo><issuance>continuing</issuance></originInfo>
<identifier type="issn">1234-5679</identifier>
<part><detail type="volume"><number>9</number></detail>
<detail type="issue"><number>5</number></detail>
<extent unit="pages"><start>131</start><end>146</end></extent><date>1999</date></part></relatedItem>
<language><languageTerm>eng</languageTerm></language><subject><topic>Paper</topic></subject>
<identifier type="doi">10.1000/fold.5</identifier></mods>
<mods ID="b2"><titleInfo><title>A Book</title></titleInfo>
<name type="personal"><namePart>Roe, Richard, 1950-</namePart>
<role><roleTerm type="code">edt</roleTerm></role></name>
<genre>book</genre><originInfo><place><placeTerm type="text">Oslo</placeTerm></place>
<publisher>Paper Press</publisher><dateIssued>2001</dateIssued></originInfo>
<identifier type="isbn">0306406152</identifier></mods></modsCollection>
"""


def test_mods_is_read(tmp_path: Path) -> None:
    article, book = values(tmp_path, MODS, "a.mods")
    assert article["type"] == "article-journal"
    assert article["title"] == "The Fold: a sheet"
    assert article["author"] == (Name("Doe", "Jane"),)
    assert article["container-title"] == "Journal of Folding"
    assert (article["volume"], article["issue"], article["page"]) == ("9", "5", "131-146")
    assert article["issued"] == {"date-parts": [[1999]]}
    assert (article["DOI"], article["ISSN"]) == ("10.1000/fold.5", ("1234-5679",))
    assert article["tags"] == ("Paper",)
    assert book["type"] == "book"
    assert book["editor"] == (Name("Roe", "Richard"),)
    assert (book["publisher"], book["publisher-place"]) == ("Paper Press", "Oslo")


SCOPUS = (
    '\ufeff"Authors","Author full names","Title","Year","Source title","Volume","Issue",'
    '"Art. No.","Page start","Page end","Page count","Cited by","DOI","Link","Abstract",'
    '"Author Keywords","ISSN","Document Type","EID"\n'
    '"Doe J.; Roe R.A.","Doe, Jane (57190000001); Roe, Richard A. (57190000002)",'
    '"On folding, ""twice""",2019,"Journal of Folding","12","3","","11","19","8","4",'
    '"10.1000/fold.6","https://www.scopus.com/x","Line one\nline two","paper; glue","12345679",'
    '"Article","2-s2.0-85000000001"\n'
    '"Poe E.A.","","A chapter",2001,"The Book","","","17","","","","","","","","","",'
    '"Book chapter",'
    '"2-s2.0-85000000002"\n'
)
PUBMED_CSV = (
    "PMID,Title,Authors,Citation,First Author,Journal/Book,Publication Year,Create Date,PMCID,"
    "NIHMS ID,DOI\n"
    '31234567,On folding.,"Doe J, van Roe RA.",'
    '"Fold Sci. 2019 Sep 5;12(3):11-19. doi: 10.1000/fold.7. Epub 2019 Aug 1.",Doe J,'
    "Folding science,2019,2019/08/02,PMC123,,10.1000/fold.7\n"
)


def test_the_table_of_scopus_is_read(tmp_path: Path) -> None:
    article, chapter = values(tmp_path, SCOPUS, "scopus.csv")
    assert article["author"] == (Name("Doe", "Jane"), Name("Roe", "Richard A."))
    assert article["title"] == 'On folding, "twice"'
    assert (article["volume"], article["page"], article["ISSN"]) == ("12", "11-19", ("1234-5679",))
    assert article["issued"] == {"date-parts": [[2019]]}
    assert article["tags"] == ("paper", "glue")
    assert article["abstract"] == "Line one\nline two"
    assert (chapter["type"], chapter["article-number"]) == ("chapter", "17")
    assert chapter["author"] == (Name("Poe", "E.A."),)


def test_the_table_of_pubmed_is_read(tmp_path: Path) -> None:
    (article,) = values(tmp_path, PUBMED_CSV, "csv-folding-set.csv")
    assert article["author"] == (Name("Doe", "J"), Name("Roe", "RA", non_dropping_particle="van"))
    assert article["issued"] == {"date-parts": [[2019, 9, 5]]}
    assert (article["volume"], article["issue"], article["page"]) == ("12", "3", "11-19")
    assert (article["container-title"], article["container-title-short"]) == (
        "Folding science",
        "Fold Sci",
    )
    assert (article["PMID"], article["PMCID"], article["DOI"]) == (
        "31234567",
        "PMC123",
        "10.1000/fold.7",
    )


CFF = """cff-version: 1.2.0
message: If you use it, cite it.
title: Folder
version: 1.10
doi: 10.5281/zenodo.1
date-released: 2021-08-11
license: MIT
keywords: [paper, glue]
repository-code: https://example.org/folder
authors:
  - family-names: Roe
    name-particle: van
    given-names: Richard
  - name: Folding Consortium
preferred-citation:
  type: article
  title: On folding
  journal: Journal of Folding
  year: 2020
  month: 9
  start: 11
  end: 19
  authors:
    - family-names: Doe
      given-names: Jane
references:
  - type: book
    title: The Book
    publisher: {name: Paper Press, city: Oslo}
    year: 2001
    authors: [{family-names: Poe, given-names: E. A.}]
"""


def test_a_citation_cff_gives_the_software_and_the_works_that_it_names(tmp_path: Path) -> None:
    software, article, book = values(tmp_path, CFF, "CITATION.cff")
    assert (software["type"], software["title"], software["version"]) == (
        "software",
        "Folder",
        "1.10",
    )
    assert software["author"] == (
        Name("Roe", "Richard", non_dropping_particle="van"),
        Name(literal="Folding Consortium"),
    )
    assert software["issued"] == {"date-parts": [[2021, 8, 11]]}
    assert software["tags"] == ("paper", "glue")
    assert article["type"] == "article-journal"
    assert article["issued"] == {"date-parts": [[2020, 9]]}
    assert article["page"] == "11-19"
    assert (book["publisher"], book["publisher-place"]) == ("Paper Press", "Oslo")


def test_yaml_that_grows_is_refused(tmp_path: Path) -> None:
    bomb = "cff-version: 1.2.0\na: &a [x, x]\nb: [*a, *a]\n"
    with pytest.raises(FileFormatError, match="alias"):
        load_content(tmp_path, bomb, "CITATION.cff")


@pytest.mark.parametrize("name", ["a.xml", "a.mods"])
def test_xml_that_declares_entities_is_refused(tmp_path: Path, name: str) -> None:
    text = PUBMED_XML if name == "a.xml" else MODS
    head = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    with pytest.raises(FileFormatError, match="document type"):
        load_content(tmp_path, head + text[text.index("<", 60) :], name)


def test_damaged_xml_is_read_up_to_the_damage_and_named(tmp_path: Path) -> None:
    cut = PUBMED_XML[: PUBMED_XML.index("<PubmedBookArticle>") + 30]
    loaded: Loaded = load_content(tmp_path, cut, "a.xml")
    assert [one.values["PMID"] for one in loaded.references] == ["31234567"]
    assert "damaged" in loaded.skipped[0].reason


@pytest.mark.parametrize(
    ("text", "named", "way"),
    [
        ('<?xml version="1.0"?>\n<rdf:RDF xmlns:rdf="x">', "Zotero RDF", "CSL JSON"),
        ('<collection xmlns="http://www.loc.gov/MARC21/slim"><record/>', "MARCXML", "MODS"),
        ("00714cam a2200205 a 4500001001300000", "MARC", "MODS"),
        ('<?xml version="1.0"?><crossref_result xmlns="x">', "Crossref's XML", "JSON"),
        ('<TEI xmlns="http://www.tei-c.org/ns/1.0">', "TEI", "BibTeX"),
        ('<?xml version="1.0"?><b:Sources xmlns:b="x">', "Word's sources", "RIS"),
        ("PT\tAU\tBA\tTI\tSO\nJ\tDoe, J\t\tFold\tJ\n", "table of tabs", "plain text"),
        ("<!DOCTYPE html><html><pre>@book{a, title={T}}</pre>", "a web page", "BibTeX"),
        (
            '<style xmlns="http://purl.org/net/xbiblio/csl" version="1.0">',
            "citation style",
            "as the style",
        ),
        ("\\begin{thebibliography}{1}\n\\bibitem{a} Doe\n", "list of references", ".bib file"),
        ("Name,Street,Town,Country\nDoe,A,B,C\n", "a table", "RIS"),
    ],
)
def test_a_known_format_is_refused_by_name_with_the_way_round(
    tmp_path: Path, text: str, named: str, way: str
) -> None:
    with pytest.raises(FileFormatError, match=named) as raised:
        load_content(tmp_path, text, "a.txt")
    assert way in str(raised.value.next_step)


@pytest.mark.parametrize(
    "text",
    [
        "TY  - JOUR\nTI  - Folding\nER  - \n",
        "@book{a, title = {Folding}}\n",
        "%0 Book\n%T Folding\n",
        "\ufeffFN Clarivate Analytics Web of Science\nVR 1.0\nPT J\nTI Folding\nER\n\nEF\n",
    ],
)
def test_a_text_named_enl_is_looked_at(tmp_path: Path, text: str) -> None:
    (one,) = values(tmp_path, text, "library.enl")
    assert one["title"] == "Folding"


def test_a_text_named_enl_without_a_record_is_named_as_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match="text without a record"):
        load_content(tmp_path, "Only words.\n", "library.enl")


def test_refworks_records_may_end_as_those_of_ris(tmp_path: Path) -> None:
    text = "RT Journal Article\nT1 On folding\nYR 2019\nER \n\nRT Book, Whole\nT1 B\nER - \n"
    article, book = values(tmp_path, text, "a.txt")
    assert (article["issued"], book["title"]) == ({"date-parts": [[2019]]}, "B")


def test_people_between_semicolons_of_an_ovid_label_are_several(tmp_path: Path) -> None:
    text = "<1>\nUnique Identifier\n  123\nTitle\n  On folding.\nAuthors\n  Doe J; Roe R.\n"
    (found,) = values(tmp_path, text, "a.txt")
    assert found["author"] == (Name("Doe", "J"), Name("Roe", "R."))
