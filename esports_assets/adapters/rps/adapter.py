"""The adapter of recorded games of rock-paper-scissors: this platform's own export, one game per line.

Belongs here: recognising a file, lines to matches, and turning errors into refusals.
Does not belong here: the line (``games/rps/record.py``), its events (``games/rps/events.py``), people's games from studies
(``human.py``).
"""

from collections.abc import Sequence

from esports_assets.adapters.base import MalformedRecord, Reading, Refusal, RefusalLog, SourceFile
from esports_assets.canonical.codec import ColumnError
from esports_assets.canonical.match import CanonicalMatch
from esports_assets.games.rps.events import SOURCE, match_of
from esports_assets.games.rps.record import RecordError, game_of_line


class RpsAdapter:
    """Reads files of recorded games."""

    name = SOURCE
    version = "1"
    suffixes: Sequence[str] = (".rps.jsonl",)

    def recognises(self, file: SourceFile) -> bool:
        """By name: no other source writes such a one."""
        return file.name.endswith(tuple(self.suffixes))

    def read(self, file: SourceFile) -> Reading:
        """Every game of the file; a line that is none is refused alone, and so is a second game of the same id."""
        log, matches = RefusalLog(file.name), dict[str, CanonicalMatch]()
        for number, line in enumerate(file.data.split(b"\n"), start=1):
            if not line.strip():
                continue
            try:
                match = _match(file, f"line {number}", line)
            except MalformedRecord as error:
                log.add(error)
                continue
            if match.header.match_id in matches:
                log.add(
                    Refusal(file.name, f"line {number}", f"the game {match.header.match_id} stands in the file already")
                )
            else:
                matches[match.header.match_id] = match
        if not matches and not log.refusals:
            log.add(Refusal(file.name, "", "the file holds no game", "WrongFormat"))
        return Reading(tuple(matches.values()), log.refusals)


def _match(file: SourceFile, place: str, line: bytes) -> CanonicalMatch:
    try:
        return match_of(game_of_line(line))
    except RecordError as error:
        raise MalformedRecord(file.name, place, str(error)) from error
    except ColumnError as error:
        raise MalformedRecord(file.name, f"{place}, {error.place}", error.reason) from error
    except OverflowError as error:
        raise MalformedRecord(file.name, place, f"a time is out of the calendar: {error}") from error
