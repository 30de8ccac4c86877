"""What is typed in the demo: references, fields and sentences, constants all.

The works are real ones of ``libraries``; the notes, names and added works are made up, of words
that are nowhere else, so that they can be searched for where they must not be.
"""

from __future__ import annotations

TYPOGRAPHY = "typography.bib"
TYPOGRAPHY_REFERENCES = 5735
PRINTING_HISTORY = "printing-history.bib"
PRINTING_HISTORY_REFERENCES = 846

#: "A Punk Meta-Font", by Donald Knuth: edited on both computers.
EDITED_TWICE = "Knuth:TB9-2-152"
NOTE_FIRST = "Every letter comes out different: the pens are random."
NOTE_SECOND = "Lent to Petronella Zwiebelfisch, who brings it back in spring."
NOTE_FIRST_LATER = "Every letter comes out different: the pens are random. See Quadratspatium too."
NOTE_SECOND_LATER = "Lent to Petronella Zwiebelfisch, who brings it back in autumn."

OFFICE_TITLE = "A Punk Metafont, or: Typography with Purpose"
OFFICE_PUBLISHER = "Fliegenkopf Press"
OFFICE_AUTHOR = "Spatienhofer, Emilia"
LAPTOP_TITLE = "A Punk METAFONT (with a Drawing of Every Letter)"
LAPTOP_PLACE = "Leerzeilingen"
LAPTOP_AUTHOR = "Unterlauf, Bartholomew"

#: "A Chinese meta-font": deleted at the office, edited on the laptop.
DELETED_AND_EDITED = "Hobby:TB5-2-119"
UNSEEN_NOTE = "Needed for the Durchschuss lecture, do not throw away."
UNSEEN_TAG = "durchschuss"

#: "Inside front cover": deleted on the laptop, touched by nobody.
DELETED = "Anonymous:1992:IFCb"

#: A group that both order apart, a tag and a PDF.
GROUP = "Kerning lecture"
GROUP_LATER = "Leimbinder lecture"
GROUP_ABOVE = "Bogensignatur course"
GROUPED = (EDITED_TWICE, DELETED_AND_EDITED)
GROUPED_LATER = "Knuth:TB5-1-4"
TAG = "bleisatz"
PDF = "Walzenmasse.pdf"
PDF_TEXT = "A scan of the Andruckexemplar."

OFFICE_ADDED = (
    "--type",
    "book",
    "title=A Handbook of Schusterjungen",
    "author=Ligaturo, Ada",
    "issued=2026",
)
OFFICE_ADDED_TITLE = "A Handbook of Schusterjungen"
LAPTOP_ADDED = (
    "--type",
    "article-journal",
    "title=Fraktursatz by Candlelight",
    "author=Gevierte, Ben",
    "container-title=Setzkasten Quarterly",
    "issued=2026-05",
)
LAPTOP_ADDED_TITLE = "Fraktursatz by Candlelight"

#: What is searched for in all that the relay stores.
PLANTED_WORDS = (
    "Zwiebelfisch",
    "Quadratspatium",
    "Fliegenkopf",
    "Spatienhofer",
    "Leerzeilingen",
    "Unterlauf",
    "Durchschuss",
    "durchschuss",
    "Schusterjungen",
    "Ligaturo",
    "Fraktursatz",
    "Gevierte",
    "Setzkasten",
    "Leimbinder",
    "Bogensignatur",
    "bleisatz",
    "Walzenmasse",
    "Andruckexemplar",
)
