"""What an ingest tells: as plain values for ``--json``, and in lines for a person.

Belongs here: the words for matches, copies, findings, quarantine, refusals, and for nothing at all.
Does not belong here: what became of files (``storage/landed.py``), arguments (``data.py``).
"""

from collections import Counter
from pathlib import Path
from typing import Any

from esports_assets.adapters.registry import ADAPTERS
from esports_assets.canonical.invariants import INVARIANTS
from esports_assets.commands.console import say
from esports_assets.storage.lake import MatchRecord
from esports_assets.storage.landed import IngestReport

_SCREENFUL = 20


def as_report(report: IngestReport) -> dict[str, Any]:
    """A report of ingest as plain values; ``remark`` says why there is no match, where there is none."""
    return {
        "files": len(report.files),
        "unchanged": sum(file.unchanged for file in report.files),
        "matches": [{"match_id": h.match_id, "title": h.title, "day": h.day, "map": h.map} for h in report.matches],
        "passed_over": list(report.passed_over),
        "refusals": [{"file": r.file, "place": r.place, "reason": r.reason, "kind": r.kind} for r in report.refusals],
        "duplicates": [
            {"file": d.file, "same_as": d.same_as, "match_id": d.match.match_id if d.match else None}
            for d in report.duplicates
        ],
        "findings": [
            {"match_id": match_id, "rule": finding.rule, "where": finding.where, "message": finding.message}
            for match_id, finding in report.findings
        ],
        "quarantined": [
            {"match_id": record.header.match_id, "reason": reasons_of(record)} for record in report.quarantined
        ],
        "remark": why_no_match(report),
    }


def reasons_of(record: MatchRecord) -> str:
    """Why nothing is computed from a match."""
    return "; ".join(str(finding) for finding in record.quarantined)


def why_no_match(report: IngestReport) -> str | None:
    """Why these files give no match, in a sentence, or None where they give some."""
    if report.days:
        return None
    if report.refusals:
        return f"no match could be read from {len(report.files)} files; the first refusal: {report.refusals[0]}"
    known = ", ".join(f"{adapter.name} ({', '.join(adapter.suffixes)})" for adapter in ADAPTERS)
    found = (
        f"none of the {len(report.passed_over)} files is of a known source"
        if report.passed_over
        else "no file is there"
    )
    return f"{found}: known are {known}"


def tell(report: IngestReport) -> None:
    """A report of ingest for a person: totals, days, and every remark up to a screenful of each kind."""
    fresh = len(report.files) - sum(file.unchanged for file in report.files)
    days = Counter(header.day for header in report.matches)
    say(f"{len(report.files)} files, {fresh} of them read now: {len(report.matches)} matches on {len(days)} days.")
    if report.passed_over:
        names = ", ".join(Path(name).name for name in report.passed_over)
        say(f"  passed over, as they are of no known source: {names}")
    _tell_some([f"duplicate: {duplicate}" for duplicate in report.duplicates], "duplicates")
    _tell_some([f"finding: {line}" for line in _by_rule(report)], "findings")
    _tell_some(
        [f"quarantined: {record.header.match_id}: {reasons_of(record)}" for record in report.quarantined],
        "quarantined matches",
        "red",
    )
    _tell_some([f"refused: {refusal}" for refusal in report.refusals], "refusals")
    remark = why_no_match(report)
    if remark is not None:
        say(f"  {remark}", "yellow")


def _by_rule(report: IngestReport) -> list[str]:
    """One line per rule that remarks anything: the remark itself, or how many there are and the first of them."""
    found: dict[str, list[str]] = {}
    for match_id, finding in report.findings:
        if finding.rule not in INVARIANTS:
            found.setdefault(finding.rule, []).append(f"{match_id}: {finding}")
    return [
        lines[0] if len(lines) == 1 else f"{rule}, {len(lines)} times (--json tells all), first {lines[0]}"
        for rule, lines in sorted(found.items())
    ]


def _tell_some(lines: list[str], what: str, style: str = "yellow") -> None:
    for line in lines[:_SCREENFUL]:
        say(f"  {line}", style)
    if len(lines) > _SCREENFUL:
        say(f"  and {len(lines) - _SCREENFUL} more {what}: --json prints all of them")
