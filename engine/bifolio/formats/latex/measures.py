"""Numbers with units (siunitx) and formulas of chemistry (mhchem), as LaTeX prints them.

Their arguments are no LaTeX text: ``\\SI{10}{\\kilo\\metre}`` is ``10 km``, ``\\ce{SO4^2-}`` has
two scripts. Only what titles and abstracts hold; anything else keeps its text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

#: The commands, and how many arguments each has.
MEASURES: Final = {
    "num": 1, "si": 1, "unit": 1, "ang": 1, "numlist": 1,
    "SI": 2, "qty": 2, "qtyproduct": 2, "numproduct": 1, "numrange": 2, "SIlist": 2, "qtylist": 2,
    "SIrange": 3, "qtyrange": 3,
    "ce": 1, "cf": 1, "ch": 1, "chem": 1,
}  # fmt: skip

_PREFIXES: Final = dict(
    zip(
        "yocto zepto atto femto pico nano micro milli centi deci deca deka hecto kilo mega giga "
        "tera peta exa zetta yotta kibi mebi gibi tebi".split(),
        "y z a f p n µ m c d da da h k M G T P E Z Y Ki Mi Gi Ti".split(),
        strict=True,
    )
)
_UNITS: Final = dict(
    zip(
        "percent metre meter gram second minute hour day kelvin mole ampere candela celsius "
        "degreeCelsius degree arcminute arcsecond hertz newton pascal joule watt coulomb volt "
        "farad ohm siemens weber tesla henry lumen lux becquerel gray sievert litre liter tonne "
        "hectare electronvolt eV dalton bar decibel bel radian steradian angstrom parsec bit byte "
        "astronomicalunit kilogram".split(),
        "% m m g s min h d K mol A cd °C °C ° ′ ″ Hz N Pa J W C V F Ω S Wb T H lm lx Bq Gy Sv L L "
        "t ha eV eV Da bar dB B rad sr Å pc bit B au kg".split(),
        strict=True,
    )
)
#: Abbreviations that siunitx has itself.
_SHORT: Final = {
    name: name.replace("u", "µ")
    for name in (
        "nm um mm cm dm m km kg g mg ug s ms us ns h min K mol A Hz kHz MHz GHz N kN Pa kPa MPa "
        "GPa J kJ W kW MW V mV kV L l ml mL keV MeV GeV TeV dB"
    ).split()
}
_POWERS: Final = {"squared": "²", "cubed": "³", "square": "²", "cubic": "³"}
_UNIT_TOKEN: Final = re.compile(r"\\([A-Za-z]+)\s*|\{([^{}]*)\}|([^\\{}]+)")
_EXPONENT: Final = re.compile(r"(?<=\d)\s*[eEdD]\s*([+-]?\d+)$")


def measure(name: str, arguments: Sequence[str]) -> str:
    """What a command prints with these arguments."""
    if name in ("ce", "cf", "ch", "chem"):
        return _chemistry(arguments[0])
    if name in ("si", "unit"):
        return _unit(arguments[0])
    if name == "ang":
        parts = arguments[0].split(";")
        return "".join(
            part.strip() + mark for part, mark in zip(parts, "°′″", strict=False) if part.strip()
        )
    if name in ("numproduct", "qtyproduct"):
        numbers = " × ".join(map(_number, arguments[0].split("x")))
        return _with_unit(numbers, arguments[1] if len(arguments) > 1 else "")
    if name in ("numlist", "SIlist", "qtylist"):
        numbers = ", ".join(map(_number, arguments[0].split(";")))
        return _with_unit(numbers, arguments[1] if len(arguments) > 1 else "")
    if name in ("numrange", "SIrange", "qtyrange"):
        numbers = f"{_number(arguments[0])}–{_number(arguments[1])}"
        return _with_unit(numbers, arguments[2] if len(arguments) > 2 else "")
    return _with_unit(_number(arguments[0]), arguments[1] if len(arguments) > 1 else "")


def _number(text: str) -> str:
    plain = " ".join(text.replace("\\pm", "±").replace("+-", "±").split())
    return _EXPONENT.sub(r" × 10<sup>\1</sup>", plain)


def _with_unit(number: str, unit: str) -> str:
    shown = _unit(unit)
    return number + shown if shown in ("°", "′", "″") else f"{number} {shown}".strip()


def _unit(raw: str) -> str:
    """A unit's signs: prefixes join the unit behind them, ``\\per`` divides."""
    parts: list[str] = []
    joined = ""
    power = ""
    for word, group, text in _UNIT_TOKEN.findall(raw):
        if word == "per":
            joined = "/"
        elif word in _PREFIXES and word not in _UNITS:
            joined += _PREFIXES[word]
        elif word in ("square", "cubic"):
            power = _POWERS[word]
        elif word in _POWERS:
            parts.append(_POWERS[word])
        elif word in ("tothe", "raiseto", "of", "cancel", "highlight"):
            continue
        else:
            sign = _UNITS.get(word) or _SHORT.get(word) or word or group or text.strip()
            sign = sign.replace("~", " ").replace(".", "⋅") if text else sign
            between = "" if not parts or joined.startswith("/") else " "
            parts.append(between + joined + sign + power)
            joined = power = ""
    return "".join(parts)


_ARROWS: Final = (("<=>", "⇌"), ("<->", "↔"), ("->", "→"), ("<-", "←"))
_SCRIPT: Final = re.compile(r"([_^])(?:\{([^{}]*)\}|(\d*[+-]|[\w+-]))")
_COUNT: Final = re.compile(r"(?<=[A-Za-z)\]])(\d+)")
_CHARGE: Final = re.compile(r"(?<=[A-Za-z)\]>])([+-])(?=\s|$|[,;)])")


def _chemistry(raw: str) -> str:
    for written, sign in _ARROWS:
        raw = raw.replace(written, sign)
    shown = _COUNT.sub(r"<sub>\1</sub>", raw)
    shown = _SCRIPT.sub(_script, shown)
    shown = _CHARGE.sub(r"<sup>\1</sup>", shown)
    return " ".join(shown.replace("$", "").replace("{", "").replace("}", "").split())


def _script(found: re.Match[str]) -> str:
    element = "sub" if found.group(1) == "_" else "sup"
    return f"<{element}>{found.group(2) or found.group(3) or ''}</{element}>"
