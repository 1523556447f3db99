"""GRID files to canonical matches: Series Events (JSONL, arrays, single events) and end states.

Belongs here: recognising a file, one decoder per series, and what stands at the end as matches.
Does not belong here: anything a live feed needs too (``decoder.py``).
"""

from collections.abc import Iterable, Iterator

from esports_assets.adapters.base import AdapterError, Reading, Refusal, SourceFile, UnreadableFile, day_of_name
from esports_assets.adapters.grid.decoder import GridDecoder
from esports_assets.adapters.grid.end_state import EndState
from esports_assets.adapters.grid.reading import MAX_FILE_BYTES, FinalState, Reader, pieces
from esports_assets.adapters.grid.scene import SOURCE
from esports_assets.adapters.grid.tables import canonical_match
from esports_assets.canonical.match import CanonicalMatch

_MARKS = (b'"seriesId"', b'"sequenceNumber"', b'"seriesState"', b'"seriesStateDelta"', b'"includesFullState"')
_LONGEST_MARK = max(len(mark) for mark in _MARKS)
_BEGINNING_BYTES = 65_536


class GridAdapter:
    """Series Events and end states of CS:GO, Counter-Strike 2 and VALORANT."""

    name = SOURCE
    version = "2"
    suffixes = (".jsonl", ".json", ".jsonl.gz", ".json.gz", ".jsonl.xz", ".json.xz")

    def recognises(self, file: SourceFile) -> bool:
        """By suffix, and by GRID's own field names: among the first bytes of a document, on any line of lines.

        A damaged container of such a name is taken too, so that ``read`` says what is wrong with it.
        """
        if not file.name.endswith(self.suffixes):
            return False
        looked_at = MAX_FILE_BYTES if ".jsonl" in file.name else _BEGINNING_BYTES
        try:
            return _holds_marks(pieces(file, looked_at))
        except UnreadableFile:
            return True

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
                    reader.log.add(error)
                    continue
                matches += found
            else:
                refused = decoders.setdefault(record.series, GridDecoder(file.name, day)).feed(record).refusals
            for refusal in refused:
                reader.log.add(refusal)
        for decoder in decoders.values():
            matches += standing_matches(decoder)
        if not matches and not reader.log.refusals:
            reader.log.add(Refusal(file.name, "", "no game stands in this file", "WrongFormat"))
        return Reading(tuple(matches), reader.log.refusals)


def _holds_marks(parts: Iterable[bytes]) -> bool:
    """Whether one of GRID's field names stands in the bytes, or across two pieces of them."""
    end = b""
    for part in parts:
        text = end + part
        if any(mark in text for mark in _MARKS):
            return True
        end = text[-_LONGEST_MARK:]
    return False


def standing_matches(decoder: GridDecoder) -> Iterator[CanonicalMatch]:
    """The games of a series that stand, as matches."""
    for game in decoder.games.values():
        match_id = game.header.match_id
        events = [e for s in decoder.ledger for e in s.events if e.match_id == match_id]
        samples = [sample for s in decoder.ledger for sample in s.samples if sample.match_id == match_id]
        findings = (*decoder.remarks.of(match_id), *decoder.withdrawn())
        yield canonical_match(game.header, events, samples, game.members, findings)
