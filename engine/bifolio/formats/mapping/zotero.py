"""The tables of Zotero: its item types, fields and roles, and what they are here.

Zotero has about twenty names for one thing (``publicationTitle``, ``bookTitle``, ``blogTitle``...);
a name means the same in every type, except for those in ``BY_TYPE``. Only tables and what is looked
up in them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class ZoteroType:
    """Zotero's item types of one CSL type (space-separated)."""

    csl: str
    zotero: str


@dataclass(frozen=True, slots=True)
class ZoteroField:
    """Zotero's fields or roles of one field; an earlier one goes before a later one."""

    field: str
    zotero: str


TYPES: Final = (
    ZoteroType("article-journal", "journalArticle"),
    ZoteroType("article-magazine", "magazineArticle"),
    ZoteroType("article-newspaper", "newspaperArticle"),
    ZoteroType("article", "preprint"),
    ZoteroType("book", "book"),
    ZoteroType("chapter", "bookSection"),
    ZoteroType("paper-conference", "conferencePaper"),
    ZoteroType("thesis", "thesis"),
    ZoteroType("report", "report"),
    ZoteroType("webpage", "webpage"),
    ZoteroType("post-weblog", "blogPost"),
    ZoteroType("post", "forumPost"),
    ZoteroType("dataset", "dataset"),
    ZoteroType("software", "computerProgram"),
    ZoteroType("standard", "standard"),
    ZoteroType("patent", "patent"),
    ZoteroType("bill", "bill"),
    ZoteroType("legislation", "statute"),
    ZoteroType("legal_case", "case"),
    ZoteroType("hearing", "hearing"),
    ZoteroType("manuscript", "manuscript"),
    ZoteroType("personal_communication", "letter email instantMessage"),
    ZoteroType("interview", "interview"),
    ZoteroType("speech", "presentation"),
    ZoteroType("entry-encyclopedia", "encyclopediaArticle"),
    ZoteroType("entry-dictionary", "dictionaryEntry"),
    ZoteroType("motion_picture", "film videoRecording"),
    ZoteroType("broadcast", "tvBroadcast radioBroadcast podcast"),
    ZoteroType("song", "audioRecording"),
    ZoteroType("graphic", "artwork"),
    ZoteroType("map", "map"),
    ZoteroType("document", "document note attachment"),
)

FIELDS: Final = (
    ZoteroField("title", "title nameOfAct caseName subject"),
    ZoteroField("title-short", "shortTitle"),
    ZoteroField(
        "container-title",
        "publicationTitle bookTitle proceedingsTitle encyclopediaTitle dictionaryTitle blogTitle "
        "forumTitle websiteTitle programTitle reporter code",
    ),
    ZoteroField("container-title-short", "journalAbbreviation"),
    ZoteroField("collection-title", "series seriesTitle"),
    ZoteroField("collection-number", "seriesNumber"),
    ZoteroField("original-title", "originalTitle"),
    ZoteroField("issued", "date dateEnacted dateDecided issueDate"),
    ZoteroField("accessed", "accessDate"),
    ZoteroField("original-date", "originalDate"),
    ZoteroField("submitted", "filingDate"),
    ZoteroField("volume", "volume codeVolume reporterVolume"),
    ZoteroField("part-number", "partNumber"),
    ZoteroField("part-title", "partTitle sessionTitle"),
    ZoteroField("issue", "issue"),
    ZoteroField(
        "number",
        "number reportNumber patentNumber billNumber publicLawNumber docketNumber documentNumber "
        "episodeNumber archiveID identifier",
    ),
    ZoteroField("page", "pages codePages firstPage"),
    ZoteroField("number-of-pages", "numPages"),
    ZoteroField("number-of-volumes", "numberOfVolumes"),
    ZoteroField("edition", "edition"),
    ZoteroField("version", "versionNumber"),
    ZoteroField("section", "section codeNumber"),
    ZoteroField("chapter-number", "session"),
    ZoteroField(
        "publisher",
        "publisher university institution repository label company distributor studio network "
        "organization",
    ),
    ZoteroField("publisher-place", "place"),
    ZoteroField("original-publisher", "originalPublisher"),
    ZoteroField("original-publisher-place", "originalPlace"),
    ZoteroField("event-title", "conferenceName meetingName"),
    ZoteroField("event-place", "eventPlace"),
    ZoteroField("authority", "authority legislativeBody court issuingAuthority"),
    ZoteroField("jurisdiction", "country"),
    ZoteroField(
        "genre",
        "type thesisType reportType manuscriptType mapType letterType postType presentationType "
        "websiteType genre programmingLanguage",
    ),
    ZoteroField(
        "medium",
        "medium artworkMedium interviewMedium audioRecordingFormat audioRecordingType "
        "videoRecordingFormat audioFileType system format",
    ),
    ZoteroField("dimensions", "artworkSize runningTime"),
    ZoteroField("scale", "scale"),
    ZoteroField("references", "history references"),
    ZoteroField("DOI", "DOI"),
    ZoteroField("PMID", "PMID"),
    ZoteroField("PMCID", "PMCID"),
    ZoteroField("ISBN", "ISBN"),
    ZoteroField("ISSN", "ISSN"),
    ZoteroField("URL", "url"),
    ZoteroField("abstract", "abstractNote"),
    ZoteroField("note", "extra note"),
    ZoteroField("annotation", "annotation"),
    ZoteroField("tags", "tag tag/automatic"),
    ZoteroField("language", "language"),
    ZoteroField("call-number", "callNumber applicationNumber"),
    ZoteroField("archive", "archive"),
    ZoteroField("archive_location", "archiveLocation"),
    ZoteroField("archive_collection", "archiveCollection"),
    ZoteroField("source", "libraryCatalog"),
    ZoteroField("status", "status legalStatus"),
    ZoteroField("license", "rights"),
    ZoteroField("citation-key", "citationKey"),
)

#: A type's first role is its author; the others have names of their own.
CREATORS: Final = (
    ZoteroField(
        "author",
        "author artist cartographer inventor programmer presenter podcaster performer interviewee "
        "sponsor creator",
    ),
    ZoteroField("editor", "editor"),
    ZoteroField("collection-editor", "seriesEditor"),
    ZoteroField("translator", "translator"),
    ZoteroField("container-author", "bookAuthor"),
    ZoteroField("reviewed-author", "reviewedAuthor"),
    ZoteroField("original-author", "originalCreator"),
    ZoteroField("director", "director"),
    ZoteroField("script-writer", "scriptwriter"),
    ZoteroField("producer", "producer"),
    ZoteroField("executive-producer", "executiveProducer"),
    ZoteroField("performer", "castMember"),
    ZoteroField("composer", "composer"),
    ZoteroField("host", "host"),
    ZoteroField("guest", "guest"),
    ZoteroField("narrator", "narrator"),
    ZoteroField("interviewer", "interviewer"),
    ZoteroField("recipient", "recipient"),
    ZoteroField("chair", "chair"),
    ZoteroField("organizer", "organizer"),
    ZoteroField("series-creator", "seriesCreator"),
    ZoteroField("contributor", "contributor attorneyAgent commenter cosponsor counsel wordsBy"),
)

#: (item type, Zotero's field) that means something else than in the other types.
BY_TYPE: Final = {
    ("conferencePaper", "place"): "event-place",
    ("presentation", "place"): "event-place",
    ("hearing", "committee"): "section",
}

CSL_TYPES: Final = {name: row.csl for row in TYPES for name in row.zotero.split()}
FIELD_OF: Final = {
    name: (row.field, rank) for row in FIELDS for rank, name in enumerate(row.zotero.split())
}
ROLE_OF: Final = {name: row.field for row in CREATORS for name in row.zotero.split()}
