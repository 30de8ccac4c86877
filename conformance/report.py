"""The run's figures as text for people and as JSON for programs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from conformance.agreement import Agreement
from conformance.differences import SHARED
from conformance.families import FAMILIES
from conformance.figures import Figures
from conformance.roundtrips import Check
from conformance.sameness import REASONS


def text(figures: Mapping[str, Figures], *, verbose: bool) -> str:
    """The report, format after format."""
    return "\n\n".join("\n".join(_lines(one, verbose=verbose)) for one in figures.values())


def json_object(figures: Mapping[str, Figures]) -> dict[str, Any]:
    """The same as one JSON object, with every line of ``--verbose``."""
    return {name: _json(one) for name, one in figures.items()}


def write_sameness_text(tools: Agreement) -> str:
    """What the same records of several tools have in common."""
    lines = [
        "\nthe same articles as six tools export them to RIS",
        f"  core fields      {tools.agreeing:,} of {tools.values:,} pairs are equal "
        f"({percent(tools.agreeing, tools.values)}), {len(tools.unexplained):,} unexplained",
        *(f"    {count:>5}  {name}: {REASONS[name]}" for name, count in tools.named.items()),
        *(f"    {line}" for line in tools.unexplained),
    ]
    return "\n".join(lines)


def write_sameness_json(tools: Agreement) -> dict[str, Any]:
    """The same as a JSON object."""
    return {
        "pairs": tools.values,
        "pairs_equal": tools.agreeing,
        "named_differences": tools.named,
        "unexplained": tools.unexplained,
    }


def percent(part: int, whole: int) -> str:
    """A share with one decimal; 100.0 % only where nothing is missing."""
    if not whole:
        return "none"
    share = 100 * part / whole
    return f"{min(share, 99.9) if part < whole else share:.1f} %"


def _lines(one: Figures, *, verbose: bool) -> Iterable[str]:
    reading, agreement = one.reading, one.agreement
    yield f"{one.format}"
    yield f"  files read       {reading.files_read:,} of {reading.files:,}"
    yield (
        f"  records read     {reading.records_read:,} of {reading.records_counted:,}, "
        f"{reading.records_beyond:,} beyond the manifest's count; lost with a reason "
        f"{reading.lost_with_reason:,}, without {reading.lost:,}"
    )
    named = sum(agreement.named.values())
    yield (
        f"  field values     {agreement.agreeing:,} of {agreement.values:,} agree "
        f"({percent(agreement.agreeing, agreement.values)}), {named:,} differ by name, "
        f"{len(agreement.unexplained):,} unexplained; with the named ones "
        f"{percent(agreement.agreeing + named, agreement.values)}"
    )
    yield f"  round trip       {_way(one.unchanged)}"
    yield f"  one field edited {_way(one.touched)}"
    for name, check in one.across.items():
        yield f"  there and back   {name}: {_way(check)}"
    yield from _differences(one)
    if verbose:
        yield from _details(one)


def _way(check: Check) -> str:
    if not check.tried:
        return "not offered"
    whole = "all came back" if not check.faults else f"{len(check.faults):,} faults"
    pairs = f", {check.pairs_lost:,} (tag, value) pairs lost" if check.pairs_lost else ""
    return f"{check.tried:,} references, {whole}{pairs}"


def _differences(one: Figures) -> Iterable[str]:
    if not one.agreement.named:
        return
    reasons = {each.name: each.reason for each in (*FAMILIES[one.format].differences, *SHARED)}
    yield "  named differences"
    for name, count in sorted(one.agreement.named.items(), key=lambda pair: -pair[1]):
        yield f"    {count:>5}  {name}: {reasons[name]}"


def _details(one: Figures) -> Iterable[str]:
    checks = [one.unchanged, one.touched, *one.across.values()]
    for title, lines in (
        ("lost without a reason", one.reading.faults),
        ("lost with a reason", one.reading.reasons),
        ("faults on the way", [fault for check in checks for fault in check.faults]),
        ("unexplained disagreements", one.agreement.unexplained),
        ("named disagreements", one.agreement.explained),
    ):
        if lines:
            yield f"  {title}"
            yield from (f"    {line}" for line in lines)


def _json(one: Figures) -> dict[str, Any]:
    reading, agreement = one.reading, one.agreement
    return {
        "files": reading.files,
        "files_read": reading.files_read,
        "records_counted": reading.records_counted,
        "records_read": reading.records_read,
        "records_beyond": reading.records_beyond,
        "lost_with_reason": reading.lost_with_reason,
        "lost": reading.lost,
        "loss_reasons": reading.reasons,
        "loss_faults": reading.faults,
        "values": agreement.values,
        "values_agreeing": agreement.agreeing,
        "values_beyond": agreement.beyond,
        "named_differences": agreement.named,
        "unexplained": agreement.unexplained,
        "round_trip": _json_check(one.unchanged),
        "one_field_edited": _json_check(one.touched),
        "there_and_back": {name: _json_check(check) for name, check in one.across.items()},
        "cpu_seconds": round(one.seconds, 1),
        "sound": one.is_sound(),
    }


def _json_check(check: Check) -> dict[str, Any]:
    return {"tried": check.tried, "pairs_lost": check.pairs_lost, "faults": check.faults}
