"""GRID files to canonical matches: Series Events (JSONL, arrays, single events) and end states.

Belongs here: recognising a file, one decoder per series, and what stands at the end as matches.
Does not belong here: anything a live feed needs too (``decoder.py``).
"""

from collections.abc import Iterator

from esports_assets.adapters.base import AdapterError, Reading, Refusal, SourceFile, UnreadableFile, day_of_name
from esports_assets.adapters.grid.decoder import GridDecoder
from esports_assets.adapters.grid.end_state import EndState
from esports_assets.adapters.grid.reading import FinalState, Reader, beginning
from esports_assets.adapters.grid.scene import SOURCE
from esports_assets.adapters.grid.tables import canonical_match
from esports_assets.canonical.match import CanonicalMatch

_MARKS = (b'"seriesId"', b'"sequenceNumber"', b'"seriesState"', b'"seriesStateDelta"', b'"includesFullState"')


class GridAdapter:
    """Series Events and end states of CS:GO, Counter-Strike 2 and VALORANT."""

    name = SOURCE
    version = "1"
    suffixes = (".jsonl", ".json", ".jsonl.gz", ".json.gz", ".jsonl.xz", ".json.xz")

    def recognises(self, file: SourceFile) -> bool:
        """By suffix, and by GRID's own field names among the first bytes."""
        if not file.name.endswith(self.suffixes):
            return False
        try:
            start = beginning(file)
        except UnreadableFile:
            return False
        return any(mark in start for mark in _MARKS)

    def read(self, file: SourceFile) -> Reading:
        """Every game that was not taken back, and everything that was refused."""
        try:
            reader = Reader(file)
        except UnreadableFile as error:
            return Reading(refusals=(Refusal.of(error),))
        day = day_of_name(file.name)
        decoders: dict[str, GridDecoder] = {}
        matches: list[CanonicalMatch] = []
        for record in reader.records():
            if isinstance(record, FinalState):
                try:
                    found, refused = EndState(file.name, record.place, record.state, day).read()
                except AdapterError as error:
                    reader.refuse(Refusal.of(error))
                    continue
                matches += found
            else:
                refused = decoders.setdefault(record.series, GridDecoder(file.name, day)).feed(record).refusals
            for refusal in refused:
                reader.refuse(refusal)
        for decoder in decoders.values():
            matches += standing_matches(decoder)
        if not matches and not reader.refusals:
            reader.refuse(Refusal(file.name, "", "no game stands in this file", "WrongFormat"))
        return Reading(tuple(matches), tuple(reader.refusals))


def standing_matches(decoder: GridDecoder) -> Iterator[CanonicalMatch]:
    """The games of a series that stand, as matches."""
    for game in decoder.games.values():
        match_id = game.header.match_id
        events = [e for s in decoder.ledger for e in s.events if e.match_id == match_id]
        samples = [sample for s in decoder.ledger for sample in s.samples if sample.match_id == match_id]
        findings = decoder.remarks.of(match_id)
        yield canonical_match(game.header, events, samples, game.members, findings)
