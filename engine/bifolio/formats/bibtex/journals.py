"""The macros by which astronomy's databases name journals (``journal = {\\apj}``): data only."""

from __future__ import annotations

import re
from typing import Final

#: As the styles of the journals define them; the name is the journal's own.
_JOURNALS: Final = {
    name: line.partition("|")[2]
    for line in """
aj|The Astronomical Journal
actaa|Acta Astronomica
araa|Annual Review of Astronomy and Astrophysics
apj|The Astrophysical Journal
apjl apjlett|The Astrophysical Journal Letters
apjs apjsupp|The Astrophysical Journal Supplement Series
ao applopt|Applied Optics
apss|Astrophysics and Space Science
aap astap|Astronomy & Astrophysics
aapr|Astronomy and Astrophysics Review
aaps|Astronomy and Astrophysics Supplement Series
azh|Astronomicheskii Zhurnal
baas|Bulletin of the American Astronomical Society
bac|Bulletin of the Astronomical Institutes of Czechoslovakia
bain|Bulletin of the Astronomical Institutes of the Netherlands
caa|Chinese Astronomy and Astrophysics
cjaa chjaa|Chinese Journal of Astronomy and Astrophysics
fcp|Fundamentals of Cosmic Physics
gca|Geochimica et Cosmochimica Acta
grl|Geophysical Research Letters
iaucirc|International Astronomical Union Circular
icarus|Icarus
jcap|Journal of Cosmology and Astroparticle Physics
jcp|The Journal of Chemical Physics
jgr|Journal of Geophysical Research
jqsrt|Journal of Quantitative Spectroscopy and Radiative Transfer
jrasc|Journal of the Royal Astronomical Society of Canada
maps|Meteoritics & Planetary Science
memras|Memoirs of the Royal Astronomical Society
memsai|Memorie della Società Astronomica Italiana
mnras|Monthly Notices of the Royal Astronomical Society
na newa|New Astronomy
nar newar|New Astronomy Reviews
nat|Nature
nphysa|Nuclear Physics A
pasa|Publications of the Astronomical Society of Australia
pasj|Publications of the Astronomical Society of Japan
pasp|Publications of the Astronomical Society of the Pacific
physrep|Physics Reports
physscr|Physica Scripta
planss|Planetary and Space Science
pra|Physical Review A
prb|Physical Review B
prc|Physical Review C
prd|Physical Review D
pre|Physical Review E
prl|Physical Review Letters
procspie|Proceedings of the SPIE
psj|The Planetary Science Journal
qjras|Quarterly Journal of the Royal Astronomical Society
raa|Research in Astronomy and Astrophysics
rmxaa|Revista Mexicana de Astronomía y Astrofísica
rnaas|Research Notes of the AAS
skytel|Sky & Telescope
solphys|Solar Physics
sovast|Soviet Astronomy
ssr|Space Science Reviews
zap|Zeitschrift für Astrophysik
""".strip().splitlines()
    for name in line.partition("|")[0].split()
}

_MACRO_IN_TEXT: Final = re.compile(r"\\([A-Za-z]+)(?:\{\}|(?=[^A-Za-z]|\Z))")
_MACRO: Final = re.compile(r"\{?\\([A-Za-z]+)(?:\{\})?\s*\}?")


def journal_name(text: str) -> str:
    """The journal of a field that is a macro and nothing else; a macro that is in no table is as
    written. Empty for any other text."""
    found = _MACRO.fullmatch(text.strip()) if "\\" in text else None
    if found is None:
        return ""
    return _JOURNALS.get(found.group(1).lower(), f"\\{found.group(1)}")


def with_journal_names(text: str) -> str:
    """The text with the names in the place of their macros (``\\aap Letters``); a macro that is in
    no table, and commands of LaTeX's own, stay."""
    if "\\" not in text:
        return text
    return _MACRO_IN_TEXT.sub(
        lambda found: _JOURNALS.get(found.group(1).lower(), found.group()), text
    )
