"""The words of dates in the languages that files are written in: months, seasons, days of the week.

Facts only. A word that names different months in two languages (``listopad``) is in no table.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

MONTHS: Final = (
    "January February March April May June July August September October November December"
).split()
SEASON_NAMES: Final = ("Spring", "Summer", "Autumn", "Winter")

#: The months of a language in order; words between bars are one month's.
_LANGUAGES: Final = (
    # German
    "januar|jänner|jän februar|feber märz|mär|mrz april mai juni juli august september oktober|okt"
    " november dezember|dez",
    # French
    "janvier|janv février|févr|fév mars avril|avr mai juin juillet|juil août septembre octobre"
    " novembre décembre|déc",
    # Spanish
    "enero|ene febrero marzo abril|abr mayo junio julio agosto|ago septiembre|setiembre octubre"
    " noviembre diciembre|dic",
    # Italian
    "gennaio|gen febbraio|febbr marzo aprile maggio|mag giugno|giu luglio|lug agosto|ago"
    " settembre|sett|set ottobre|ott novembre dicembre|dic",
    # Portuguese
    "janeiro fevereiro|fev março|marco abril|abr maio junho julho agosto|ago setembro|set"
    " outubro|out novembro dezembro|dez",
    # Dutch
    "januari februari maart|mrt april mei juni juli augustus september oktober|okt november"
    " december",
    # Danish, Norwegian, Swedish
    "januar|januari februar|februari marts|mars april maj|mai juni juli august|augusti september"
    " oktober|okt november december|desember",
    # Polish, in both cases
    "styczeń|stycznia|sty luty|lutego|lut marzec|marca kwiecień|kwietnia|kwi maj|maja"
    " czerwiec|czerwca|cze lipiec|lipca sierpień|sierpnia|sie wrzesień|września|wrz"
    " październik|października|paź listopada grudzień|grudnia|gru",
    # Czech, in both cases
    "leden|ledna únor|února březen|března duben|dubna květen|května červen|června"
    " červenec|července srpen|srpna září říjen|října listopadu prosinec|prosince",
    # Hungarian
    "január február március április|ápr május|máj június július augusztus szeptember|szept október"
    " november december",
    # Finnish
    "tammikuu|tammikuuta helmikuu|helmikuuta maaliskuu|maaliskuuta huhtikuu|huhtikuuta"
    " toukokuu|toukokuuta kesäkuu|kesäkuuta heinäkuu|heinäkuuta elokuu|elokuuta syyskuu|syyskuuta"
    " lokakuu|lokakuuta marraskuu|marraskuuta joulukuu|joulukuuta",
    # Turkish
    "ocak şubat mart nisan mayıs haziran temmuz ağustos eylül ekim kasım aralık",
    # Russian, in both cases
    "январь|января|янв февраль|февраля|фев март|марта|мар апрель|апреля|апр май|мая июнь|июня"
    " июль|июля август|августа|авг сентябрь|сентября|сент|сен октябрь|октября|окт"
    " ноябрь|ноября|ноя декабрь|декабря|дек",
)
_SEASONS: Final = (
    "spring|spr|frühling|frühjahr|printemps|primavera|lente|vår|forår",
    "summer|sum|sommer|été|verano|estate|verão|zomer",
    "autumn|fall|fal|aut|herbst|automne|otoño|autunno|outono|herfst|höst",
    "winter|win|hiver|invierno|inverno|vinter",
)
_WEEKDAYS: Final = (
    "monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thur thurs fri"
    " sat sun montag dienstag mittwoch donnerstag freitag samstag sonntag lundi mardi mercredi"
    " jeudi vendredi samedi dimanche"
)
#: Words that part two ends, that join two things, and that say nothing.
_TO: Final = "to till until through thru bis al au à a tot til do по"
_AND: Final = "and und et y e en og och i"
_NOTHING: Final = "of the de del di den der le la el du"

_TOKEN: Final = re.compile(r"(\d+)(?:st|nd|rd|th|er|º|°|ª)(?![^\W_])|([^\W\d_]+)")


def _folded(word: str) -> str:
    """A word in small letters without marks."""
    plain = unicodedata.normalize("NFKD", word.casefold().replace("ı", "i").replace("ł", "l"))
    return "".join(one for one in plain if not unicodedata.combining(one))


@lru_cache(maxsize=1)
def _words() -> dict[str, str]:
    """The English name, the sign or nothing for each word."""
    words = dict.fromkeys(_WEEKDAYS.split(), "")
    words |= dict.fromkeys(map(_folded, _NOTHING.split()), "")
    words |= dict.fromkeys(map(_folded, _TO.split()), "--")
    words |= dict.fromkeys(map(_folded, _AND.split()), "&")
    for place, names in enumerate(_SEASONS):
        words |= dict.fromkeys(map(_folded, names.split("|")), SEASON_NAMES[place])
    for language in _LANGUAGES:
        for month, names in zip(MONTHS, language.split(), strict=True):
            words |= dict.fromkeys(map(_folded, names.split("|")), month)
    return words | {"sept": "September"}


@lru_cache(maxsize=4096)
def in_english(text: str) -> str:
    """The text of a date with English names of months and seasons, ``--`` between two ends, and
    without ordinals and days of the week; a word that is not known stays."""
    written = _TOKEN.sub(_english, text)
    return re.sub(r"(\d)\.(?=[\s,–—/-]|$)", r"\1", " ".join(written.split())).strip(" ,.")


def _english(found: re.Match[str]) -> str:
    number, word = found.groups()
    if number:
        return str(number)
    folded = _folded(word)
    known = _words().get(folded)
    if known is not None:
        return known
    if len(folded) >= 3:
        return next((name for name in MONTHS if name.lower().startswith(folded)), str(word))
    return str(word)
