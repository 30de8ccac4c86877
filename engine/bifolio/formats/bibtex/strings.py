"""BibLaTeX's own words for kinds of works, states, languages and countries: data only."""

from __future__ import annotations

from typing import Final

#: Localisation keys, as an English bibliography shows them.
STRINGS: Final = {
    "mathesis": "Master’s thesis",
    "phdthesis": "PhD thesis",
    "candthesis": "Candidate thesis",
    "bathesis": "Bachelor’s thesis",
    "techreport": "technical report",
    "resreport": "research report",
    "software": "computer software",
    "datacd": "data CD",
    "audiocd": "audio CD",
    "patent": "patent",
    "patentde": "German patent",
    "patenteu": "European patent",
    "patentfr": "French patent",
    "patentuk": "British patent",
    "patentus": "U.S. patent",
    "patreq": "patent request",
    "patreqde": "German patent request",
    "patreqeu": "European patent request",
    "patreqfr": "French patent request",
    "patrequk": "British patent request",
    "patrequs": "U.S. patent request",
    "inpreparation": "in preparation",
    "submitted": "submitted",
    "forthcoming": "forthcoming",
    "inpress": "in press",
    "prepublished": "pre-published",
    "countryde": "Germany",
    "countryeu": "European Union",
    "countryep": "European Union",
    "countryfr": "France",
    "countryuk": "United Kingdom",
    "countryus": "United States of America",
    "newseries": "new series",
    "oldseries": "old series",
}

#: Fields whose text may be one of these, or several joined by ``and``.
WITH_STRINGS: Final = frozenset({"genre", "status", "collection-title", "publisher-place"})


def words_of(text: str) -> str:
    """The text with such words for keys, where it is a key or a list of them."""
    parts = text.split(" and ")
    return "; ".join(STRINGS[part] for part in parts) if all(p in STRINGS for p in parts) else text


#: Babel's names of languages (``langid``) to codes; the first name of a code is written.
_LANGUAGES: Final = """
en-US english american USenglish usenglish
en-GB british UKenglish ukenglish
en-AU australian
en-CA canadian
en-NZ newzealand
de-DE german ngerman germanb
de-AT austrian naustrian
de-CH swissgerman nswissgerman
fr-FR french francais
fr-CA acadian canadien
es-ES spanish
it-IT italian
pt-PT portuguese portuges
pt-BR brazilian brazil
nl-NL dutch
da-DK danish
sv-SE swedish
nb-NO norsk norwegian
nn-NO nynorsk
fi-FI finnish
is-IS icelandic
pl-PL polish
cs-CZ czech
sk-SK slovak
sl-SI slovene slovenian
hr-HR croatian
sr-RS serbian
bg-BG bulgarian
ru-RU russian
uk-UA ukrainian
el-GR greek
la latin
hu-HU hungarian magyar
ro-RO romanian
tr-TR turkish
et-EE estonian
lv-LV latvian
lt-LT lithuanian
ca-AD catalan
eu-ES basque
gl-ES galician
he-IL hebrew
ar arabic
fa-IR persian farsi
ja-JP japanese
zh-CN chinese
ko-KR korean
vi-VN vietnamese
th-TH thai
hi-IN hindi
id-ID indonesian bahasai
ga-IE irish
cy-GB welsh
eo esperanto
"""

_ROWS: Final = [line.split() for line in _LANGUAGES.strip().splitlines()]
LANGUAGE_CODES: Final = {name: code for code, *names in _ROWS for name in names}
LANGUAGE_NAMES: Final = {code: names[0] for code, *names in _ROWS}
