"""Zotero's item types: which fields and roles each has, in the order in which Zotero shows them.

Facts of its schema, version 22, and ``citationKey``, which later ones give every type. Only tables
and what is looked up in them.
"""

from __future__ import annotations

from typing import Final

SCHEMA_VERSION: Final = 22

#: How most types end: where it is kept, and what has no field of its own.
_KEPT: Final = "archive archiveLocation libraryCatalog callNumber rights extra"
_WEB: Final = "url accessDate"

#: Of each type its fields.
FIELDS: Final[dict[str, tuple[str, ...]]] = {
    kind: (*fields.split(), "citationKey")
    for kind, fields in {
        "artwork": f"title abstractNote artworkMedium artworkSize date language shortTitle archive "
        f"archiveLocation libraryCatalog callNumber {_WEB} rights extra",
        "audioRecording": "title abstractNote audioRecordingFormat seriesTitle volume "
        "numberOfVolumes place label date runningTime language ISBN shortTitle archive "
        f"archiveLocation libraryCatalog callNumber {_WEB} rights extra",
        "bill": "title abstractNote billNumber code codeVolume section codePages legislativeBody "
        f"session history date language {_WEB} shortTitle rights extra",
        "blogPost": f"title abstractNote blogTitle websiteType date {_WEB} language shortTitle "
        "rights extra",
        "book": "title abstractNote series seriesNumber volume numberOfVolumes edition place "
        f"publisher date numPages language ISBN shortTitle {_WEB} {_KEPT}",
        "bookSection": "title abstractNote bookTitle series seriesNumber volume numberOfVolumes "
        f"edition place publisher date pages language ISBN shortTitle {_WEB} {_KEPT}",
        "case": "caseName abstractNote court dateDecided docketNumber reporter reporterVolume "
        f"firstPage history language shortTitle {_WEB} rights extra",
        "computerProgram": "title abstractNote seriesTitle versionNumber date system place company "
        "programmingLanguage ISBN shortTitle url rights archive archiveLocation libraryCatalog "
        "callNumber accessDate extra",
        "conferencePaper": "title abstractNote date proceedingsTitle conferenceName place "
        f"publisher volume pages series language DOI ISBN shortTitle {_WEB} {_KEPT}",
        "dataset": "title abstractNote identifier type versionNumber date repository "
        f"repositoryLocation format DOI {_WEB} archive archiveLocation shortTitle language "
        "libraryCatalog callNumber rights extra",
        "dictionaryEntry": "title abstractNote dictionaryTitle series seriesNumber volume "
        "numberOfVolumes edition place publisher date pages language ISBN shortTitle "
        f"{_WEB} {_KEPT}",
        "document": f"title abstractNote publisher date language shortTitle {_WEB} {_KEPT}",
        "email": f"subject abstractNote date shortTitle {_WEB} language rights extra",
        "encyclopediaArticle": "title abstractNote encyclopediaTitle series seriesNumber volume "
        f"numberOfVolumes edition place publisher date pages ISBN shortTitle {_WEB} language "
        f"{_KEPT}",
        "film": "title abstractNote distributor date genre videoRecordingFormat runningTime "
        f"language shortTitle {_WEB} {_KEPT}",
        "forumPost": f"title abstractNote forumTitle postType date language shortTitle {_WEB} "
        "rights extra",
        "hearing": "title abstractNote committee place publisher numberOfVolumes documentNumber "
        f"pages legislativeBody session history date language shortTitle {_WEB} rights extra",
        "instantMessage": f"title abstractNote date language shortTitle {_WEB} rights extra",
        "interview": f"title abstractNote date interviewMedium language shortTitle {_WEB} {_KEPT}",
        "journalArticle": "title abstractNote publicationTitle volume issue pages date series "
        f"seriesTitle seriesText journalAbbreviation language DOI ISSN shortTitle {_WEB} {_KEPT}",
        "letter": f"title abstractNote letterType date language shortTitle {_WEB} {_KEPT}",
        "magazineArticle": "title abstractNote publicationTitle volume issue date pages language "
        f"ISSN shortTitle {_WEB} {_KEPT}",
        "manuscript": "title abstractNote manuscriptType place date numPages language shortTitle "
        f"{_WEB} {_KEPT}",
        "map": "title abstractNote mapType scale seriesTitle edition place publisher date language "
        f"ISBN shortTitle {_WEB} {_KEPT}",
        "newspaperArticle": "title abstractNote publicationTitle place edition date section pages "
        f"language shortTitle ISSN {_WEB} {_KEPT}",
        "patent": "title abstractNote place country assignee issuingAuthority patentNumber "
        "filingDate pages applicationNumber priorityNumbers issueDate references legalStatus "
        f"language shortTitle {_WEB} rights extra",
        "podcast": "title abstractNote seriesTitle episodeNumber audioFileType runningTime "
        f"{_WEB} language shortTitle rights extra",
        "preprint": "title abstractNote genre repository archiveID place date series seriesNumber "
        f"DOI {_WEB} archive archiveLocation shortTitle language libraryCatalog callNumber "
        "rights extra",
        "presentation": "title abstractNote presentationType date place meetingName "
        f"{_WEB} language shortTitle rights extra",
        "radioBroadcast": "title abstractNote programTitle episodeNumber audioRecordingFormat "
        f"place network date runningTime language shortTitle {_WEB} {_KEPT}",
        "report": "title abstractNote reportNumber reportType seriesTitle place institution date "
        f"pages language shortTitle {_WEB} {_KEPT}",
        "standard": "title abstractNote organization committee type number versionNumber status "
        f"date publisher place DOI {_WEB} archive archiveLocation shortTitle numPages language "
        "libraryCatalog callNumber rights extra",
        "statute": "nameOfAct abstractNote code codeNumber publicLawNumber dateEnacted pages "
        f"section session history language shortTitle {_WEB} rights extra",
        "thesis": "title abstractNote thesisType university place date numPages language "
        f"shortTitle {_WEB} {_KEPT}",
        "tvBroadcast": "title abstractNote programTitle episodeNumber videoRecordingFormat place "
        f"network date runningTime language shortTitle {_WEB} {_KEPT}",
        "videoRecording": "title abstractNote videoRecordingFormat seriesTitle volume "
        f"numberOfVolumes place studio date runningTime language ISBN shortTitle {_WEB} {_KEPT}",
        "webpage": f"title abstractNote websiteTitle websiteType date shortTitle {_WEB} language "
        "rights extra",
    }.items()
}

_BOOKS: Final = "author contributor editor translator seriesEditor"

#: Of each type its roles, the first of which is its author.
CREATORS: Final[dict[str, tuple[str, ...]]] = {
    kind: tuple(roles.split())
    for kind, roles in {
        "artwork": "artist contributor",
        "audioRecording": "performer contributor composer wordsBy",
        "bill": "sponsor cosponsor contributor",
        "blogPost": "author commenter contributor",
        "book": _BOOKS,
        "bookSection": "author contributor editor bookAuthor translator seriesEditor",
        "case": "author counsel contributor",
        "computerProgram": "programmer contributor",
        "conferencePaper": _BOOKS,
        "dataset": "author contributor",
        "dictionaryEntry": _BOOKS,
        "document": "author contributor editor translator reviewedAuthor",
        "email": "author contributor recipient",
        "encyclopediaArticle": _BOOKS,
        "film": "director contributor scriptwriter producer",
        "forumPost": "author contributor",
        "hearing": "contributor",
        "instantMessage": "author contributor recipient",
        "interview": "interviewee contributor interviewer translator",
        "journalArticle": "author contributor editor translator reviewedAuthor",
        "letter": "author contributor recipient",
        "magazineArticle": "author contributor translator reviewedAuthor",
        "manuscript": "author contributor translator",
        "map": "cartographer contributor seriesEditor",
        "newspaperArticle": "author contributor translator reviewedAuthor",
        "patent": "inventor attorneyAgent contributor",
        "podcast": "podcaster contributor guest",
        "preprint": "author contributor editor translator reviewedAuthor",
        "presentation": "presenter contributor",
        "radioBroadcast": "director scriptwriter producer castMember contributor guest",
        "report": "author contributor translator seriesEditor",
        "standard": "author contributor",
        "statute": "author contributor",
        "thesis": "author contributor",
        "tvBroadcast": "director scriptwriter producer castMember contributor guest",
        "videoRecording": "director scriptwriter producer castMember contributor",
        "webpage": "author contributor translator",
    }.items()
}

#: The types that hang on another item, or say nothing that can be cited.
CHILDREN: Final = ("annotation", "attachment", "note")

#: Names that are not simply their words.
_WORDS: Final = {
    "ISBN": "ISBN",
    "ISSN": "ISSN",
    "DOI": "DOI",
    "url": "URL",
    "numPages": "# of Pages",
    "numberOfVolumes": "# of Volumes",
    "abstractNote": "Abstract",
    "journalAbbreviation": "Journal Abbr",
    "accessDate": "Accessed",
    "archiveLocation": "Loc. in Archive",
    "archiveID": "Archive ID",
    "artworkMedium": "Medium",
    "interviewMedium": "Medium",
    "audioFileType": "File Type",
    "audioRecordingFormat": "Format",
    "videoRecordingFormat": "Format",
    "forumTitle": "Forum/Listserv Title",
    "letterType": "Type",
    "manuscriptType": "Type",
    "mapType": "Type",
    "presentationType": "Type",
    "thesisType": "Type",
    "nameOfAct": "Name of Act",
    "programmingLanguage": "Prog. Language",
    "publicationTitle": "Publication",
    "repositoryLocation": "Repo. Location",
    "versionNumber": "Version",
    "tvBroadcast": "TV Broadcast",
    "email": "E-mail",
    "computerProgram": "Software",
    "webpage": "Web Page",
    "attorneyAgent": "Attorney/Agent",
    "interviewee": "Interview With",
}


def localized(name: str) -> str:
    """What a person reads for a type, a field or a role, in English: ``Book Section``."""
    if name in _WORDS:
        return _WORDS[name]
    spaced = "".join(f" {one}" if one.isupper() else one for one in name)
    return spaced[:1].upper() + spaced[1:]
