"""A source file's reading becomes part of the lake: bytes, matches, refusals and the receipt, each match once.

Belongs here: the order of writing, and copies of a match that is there already. One landing at a time per lake, so that no
two readers take the same match.
Does not belong here: reading files (``ingest.py``), which of two tellings stays (``claims.py``).
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from esports_assets.adapters.base import Reading, Refusal, SourceFile
from esports_assets.canonical.invariants import broken
from esports_assets.canonical.match import CanonicalMatch
from esports_assets.storage.claims import Arrival, Claim, holder, identities, is_backed, point, rivals
from esports_assets.storage.lake import Lake
from esports_assets.storage.landed import Duplicate, IngestedFile
from esports_assets.storage.records import MatchKey, MatchRecord, RawFile, Receipt


def land(
    lake: Lake,
    name: str,
    file: SourceFile,
    reading: Reading,
    raw: RawFile,
    reader: tuple[str, str],
    how: Arrival | None,
) -> IngestedFile:
    """Keep what a file holds. ``reader`` is the adapter with its version.

    ``how`` is None where the lake's own bytes are read again: then no match of another file that is there is taken over.
    """
    checked = [replace(match, findings=(*match.findings, *broken(match))) for match in reading.matches]
    with lake.store.exclusive():
        before = lake.receipt(raw.sha12, raw.name)
        own = {raw.key} if before is None or how is None else {raw.key, before.raw}
        mine, copies, beaten = _decide(lake, checked, raw, own, how)
        for identity, record, match in beaten:
            _give_way(lake, identity, record, MatchKey.of(match.header), raw.name)
        stays = bool(mine or reading.refusals or not copies)
        if stays:
            lake.write_raw(raw.title, raw.day, raw.name, file.data)
        for match in mine:
            lake.write_match(match, adapter_version=reader[1], raw=raw.key)
            for identity in identities(match):
                point(lake, identity, match.header)
        for identity, record in copies:
            point(lake, identity, record.header)
        keys = tuple(MatchKey.of(match.header) for match in mine)
        _forget(lake, set(before.matches if before else ()) - set(keys), own)
        for stale in own - ({raw.key} if stays else set()):
            lake.delete_raw(RawFile.of_key(stale))
        lake.write_failures(raw, reading.refusals)
        held = tuple(dict.fromkeys(identity for identity, _ in copies))
        receipt = Receipt(raw.key, *reader, keys, len(reading.refusals), held)
        lake.write_receipt(receipt)
        found = landed(lake, name, receipt)
    displaced = tuple((record.raw, match.header) for _, record, match in beaten if record.raw)
    return replace(found, displaced=displaced, unchanged=False)


def land_failure(lake: Lake, name: str, file: SourceFile, refusals: Sequence[Refusal], raw: RawFile) -> IngestedFile:
    """Keep the bytes of a file that could not be read to its end, and why; what came of it earlier stays.

    There is no new receipt: the next time it is read again.
    """
    with lake.store.exclusive():
        before = lake.receipt(raw.sha12, raw.name)
        filed = raw if before is None else RawFile.of_key(before.raw)
        lake.write_raw(filed.title, filed.day, filed.name, file.data)
        lake.write_failures(filed, refusals)
    return IngestedFile(name, filed.key, refusals=tuple(refusals))


def holds(lake: Lake, receipt: Receipt, reader: tuple[str, str], how: Arrival | None) -> bool:
    """Whether this adapter version has read the file to its end and everything that came of it still stands."""
    bytes_needed = receipt.matches or receipt.refusals or not receipt.copies
    if (receipt.adapter, receipt.adapter_version) != reader or (bytes_needed and not lake.store.exists(receipt.raw)):
        return False
    records = _records(lake, receipt.matches)
    if not all(record is not None and record.raw == receipt.raw for record in records):
        return False
    return all(_stays_a_copy(lake, receipt, holder(lake, identity), how) for identity in receipt.copies)


def _stays_a_copy(lake: Lake, receipt: Receipt, record: MatchRecord | None, how: Arrival | None) -> bool:
    """Whether another file still holds the match, with nothing that this one could mend."""
    if record is None or record.raw == receipt.raw or not is_backed(lake, record):
        return False
    if how is None:
        return True
    mine, theirs = RawFile.of_key(receipt.raw), RawFile.of_key(record.raw)
    return not record.quarantined and (mine.name != theirs.name or theirs.entry in how.beside)


def landed(lake: Lake, name: str, receipt: Receipt) -> IngestedFile:
    """What a receipt says of a file, with the records as they stand now."""
    raw = RawFile.of_key(receipt.raw)
    failure = lake.failure(raw)
    duplicates = [
        Duplicate(name, RawFile.of_key(record.raw).name, record.header)
        for record in (holder(lake, identity) for identity in receipt.copies)
        if record is not None and record.raw
    ]
    return IngestedFile(
        name,
        raw.key,
        tuple(record for record in _records(lake, receipt.matches) if record is not None),
        failure.refusals if failure else (),
        tuple(duplicates),
        unchanged=True,
    )


def _decide(
    lake: Lake, checked: Sequence[CanonicalMatch], raw: RawFile, own: Collection[str], how: Arrival | None
) -> tuple[list[CanonicalMatch], list[tuple[str, MatchRecord]], list[tuple[str, MatchRecord, CanonicalMatch]]]:
    """The matches that are kept from this file, those of other files that it repeats, and those that give way to its own.

    The last two with the identity that they share with a match of this file.
    """
    mine: list[CanonicalMatch] = []
    copies: list[tuple[str, MatchRecord]] = []
    beaten: list[tuple[str, MatchRecord, CanonicalMatch]] = []
    for match in checked:
        claim = Claim.of_match(match, raw)
        against = rivals(lake, match, own)
        firm = [(identity, record) for identity, record in against if is_backed(lake, record)]
        if how is not None:
            firm = [(i, record) for i, record in firm if not claim.takes_over(Claim.of_record(record), how)]
        if firm:
            copies.append(firm[0])
        else:
            mine.append(match)
            beaten += [(identity, record, match) for identity, record in against]
    return mine, copies, beaten


def _give_way(lake: Lake, identity: str, record: MatchRecord, winner: MatchKey, name: str) -> None:
    """Take a match from the file that held it; that file's receipt says from now on what it was known by.

    Its bytes go with the last match, unless something of it was refused; a corrected file of the same name (``name``)
    settles that too.
    """
    key = MatchKey.of(record.header)
    if key != winner:
        lake.delete_match(record.header)
    raw = RawFile.of_key(record.raw) if record.raw else None
    receipt = lake.receipt(raw.sha12, raw.name) if raw else None
    if raw is None or receipt is None:
        return
    rest = tuple(held for held in receipt.matches if held != key)
    copies = tuple(dict.fromkeys((*receipt.copies, identity)))
    receipt = replace(receipt, matches=rest, copies=copies)
    if not rest and (not receipt.refusals or raw.name == name):
        lake.delete_raw(raw)
        receipt = replace(receipt, refusals=0)
    lake.write_receipt(receipt)


def _forget(lake: Lake, keys: Collection[MatchKey], own: Collection[str]) -> None:
    """Remove matches that the file held and does not hold any more."""
    for record in _records(lake, keys):
        if record is not None and record.raw in own:
            lake.delete_match(record.header)


def _records(lake: Lake, keys: Iterable[MatchKey]) -> list[MatchRecord | None]:
    return [lake.record(key.title, key.day, key.match_id) for key in keys]
