"""Who plays on which side in which round, and which tick belongs to which round.

Belongs here: the checks without which nothing else of a demo can be read: ten players at most, two teams, rounds in order.
Does not belong here: kills, positions and all that happens.
"""

from dataclasses import dataclass, field, replace
from datetime import date

from esports_assets.adapters.base import MalformedRecord, RefusalLog, SourceFile, day_of_name
from esports_assets.adapters.cs2_demo import raw
from esports_assets.adapters.cs2_demo.mapping import END_REASONS, SIDES
from esports_assets.adapters.cs2_demo.opening import Opened
from esports_assets.adapters.cs2_demo.sides import swapped_rounds
from esports_assets.canonical.clock import LONGEST_ROUND_S, SegmentClock
from esports_assets.canonical.match import MatchHeader, identifier
from esports_assets.canonical.vocabulary import EndReason, Side, Title

SOURCE = "cs2_demo"
_TEAM_KEYS = ("teamA", "teamB")
_MAX_PLAYERS = 10
_TICK_RATES = (1.0, 1024.0)
_LAST_TICK = 1 << 40
"""No demo is longer: a tick beyond it is not a tick, and its time would not fit the clock."""

_MOST_ROUNDS = 1000


@dataclass(frozen=True, slots=True)
class RoundInfo:
    """A round with its clock, the side of each team and what ended it."""

    raw: raw.Round
    clock: SegmentClock
    sides: tuple[Side, Side]
    reason: EndReason
    score_before: tuple[int, int]
    """Rounds that teams A and B had won before."""
    swapped: bool = False
    """The source tells the sides the wrong way round."""

    @property
    def winner(self) -> int:
        """The team that won: 0 = A, 1 = B."""
        return self.sides.index(self.reason.winner)

    def score(self, side: Side) -> int:
        """Rounds that the team on this side had won before."""
        return self.score_before[self.sides.index(side)]


@dataclass(frozen=True, slots=True)
class Roster:
    """Players by index (0-9), their teams (0 = A, 1 = B), and the rounds by number."""

    header: MatchHeader
    file: str
    players: tuple[str, ...]
    source_ids: tuple[str, ...]
    names: tuple[str, ...]
    team_of: tuple[int, ...]
    teams: tuple[str, str]
    team_names: tuple[str, str]
    rounds: dict[int, RoundInfo]
    left_out: frozenset[int]
    """Numbers of the rounds whose own record was refused."""
    ticks_per_s: float
    index_of: dict[str, int] = field(default_factory=dict)
    """Source id of a player to our index."""

    def who(self, steam_id: str | None, index: int | None, place: str) -> int | None:
        """Our index of a player named by id (2.0) or index (3.0); None if the source names nobody."""
        if index is not None:
            if not 0 <= index < len(self.players):
                raise MalformedRecord(
                    self.file, place, f"player index {index} is not one of {len(self.players)} players"
                )
            return index
        if steam_id is None:
            return None
        if steam_id not in self.index_of:
            raise MalformedRecord(self.file, place, f"player {steam_id!r} is not in the match's list of players")
        return self.index_of[steam_id]

    def steam_id(self, player: int) -> str:
        """The source's own id of a player."""
        return self.source_ids[player]

    def side(self, player: int, round_number: int) -> Side:
        """The player's side in a round."""
        return self.rounds[round_number].sides[self.team_of[player]]

    def team(self, player: int) -> str:
        """The player's team id."""
        return self.teams[self.team_of[player]]


def read_roster(file: SourceFile, opened: Opened, log: RefusalLog) -> Roster:
    """Check and index players and rounds; a round that cannot be true goes to ``log``.

    Raises ``MalformedRecord`` for what cannot be a match.
    """
    demo = opened.demo
    if len(demo.players) > _MAX_PLAYERS:
        raise MalformedRecord(file.name, "players", f"{len(demo.players)} players; a match has at most {_MAX_PLAYERS}")
    for i, player in enumerate(demo.players):
        if player.teamKey not in _TEAM_KEYS:
            raise MalformedRecord(file.name, f"players[{i}].teamKey", f"{player.teamKey!r} is neither teamA nor teamB")
    index_of = {player.steamId64: i for i, player in enumerate(demo.players)}
    if len(index_of) != len(demo.players):
        raise MalformedRecord(file.name, "players", "the same player id stands twice")
    if not _TICK_RATES[0] <= demo.match.tickrate <= _TICK_RATES[1]:
        raise MalformedRecord(file.name, "match.tickrate", f"{demo.match.tickrate} ticks a second is no clock")
    names = (demo.match.teamA.name or "team a", demo.match.teamB.name or "team b")
    slugs = [identifier(SOURCE, name) for name in names]
    ids = tuple(_player_id(file, i, player) for i, player in enumerate(demo.players))
    if len(set(ids)) != len(ids):
        raise MalformedRecord(file.name, "players", f"two players share an id: {', '.join(sorted(ids))}")
    if slugs[0] == slugs[1]:
        slugs = [f"{slug}-{key}" for slug, key in zip(slugs, "ab", strict=True)]
    simulated = demo.manifest.simulated or demo.match.simulated
    rounds = _rounds(file, opened, log)
    return Roster(
        header=_header(file, demo, slugs, simulated),
        file=file.name,
        players=ids,
        source_ids=tuple(p.steamId64 for p in demo.players),
        names=tuple(p.name for p in demo.players),
        team_of=tuple(_TEAM_KEYS.index(p.teamKey) for p in demo.players),
        teams=(slugs[0], slugs[1]),
        team_names=names,
        rounds=_mended(rounds, demo),
        left_out=frozenset(range(1, opened.total("rounds", demo.rounds) + 1)) - set(rounds),
        ticks_per_s=demo.match.tickrate,
        index_of=index_of,
    )


def _player_id(file: SourceFile, index: int, player: raw.Player) -> str:
    if not player.steamId64:
        raise MalformedRecord(file.name, f"players[{index}].steamId64", "the player has no id")
    return identifier(SOURCE, player.steamId64)


def _header(file: SourceFile, demo: raw.DemoFile, slugs: list[str], simulated: bool) -> MatchHeader:
    day: date = day_of_name(file.name)
    teams = "-".join(sorted(slug.split(":", 1)[1] for slug in slugs))
    series = f"{'sim.' if simulated else ''}{day.isoformat()}.{teams}"
    if not demo.match.mapName or not demo.manifest.demo.hash:
        raise MalformedRecord(file.name, "match", "without a map name and the demo's hash the match has no identity")
    game = f"{demo.match.mapName}-{demo.manifest.demo.hash[:8]}"
    return MatchHeader(
        match_id=identifier(SOURCE, series, game),
        series_id=identifier(SOURCE, series),
        title=Title.CS2,
        map=demo.match.mapName.lower(),
        source=SOURCE,
        day=day,
        simulated=simulated,
    )


def _rounds(file: SourceFile, opened: Opened, log: RefusalLog) -> dict[int, RoundInfo]:
    """The rounds that can be true, by number."""
    rounds: dict[int, RoundInfo] = {}
    last_end = -1
    for number, entry in opened.numbered("rounds", opened.demo.rounds):
        try:
            rounds[number + 1] = _round(file, number, entry, last_end, opened.demo.match.tickrate)
            last_end = entry.endTick
        except MalformedRecord as error:
            log.add(error)
    if not rounds:
        raise MalformedRecord(file.name, "rounds", "the match has no rounds that can be read")
    return rounds


def _round(file: SourceFile, number: int, entry: raw.Round, last_end: int, ticks_per_s: float) -> RoundInfo:
    place = f"rounds[{number}]"
    if entry.roundNumber != number + 1:
        raise MalformedRecord(file.name, place, f"round {entry.roundNumber} stands where round {number + 1} is due")
    if not last_end <= entry.startTick <= entry.freezeEndTick <= entry.endTick <= _LAST_TICK:
        ticks = f"start {entry.startTick}, freeze end {entry.freezeEndTick}, end {entry.endTick}"
        raise MalformedRecord(file.name, place, f"the clock runs backwards: {ticks}, previous end {last_end}")
    if entry.endTick - entry.freezeEndTick > LONGEST_ROUND_S * ticks_per_s:
        reason = f"lasts from tick {entry.freezeEndTick} to {entry.endTick}: no round does, the clock is wrong"
        raise MalformedRecord(file.name, place, reason)
    score = (entry.teamAScoreBefore, entry.teamBScoreBefore)
    if not 0 <= min(score) <= max(score) <= _MOST_ROUNDS:
        raise MalformedRecord(file.name, place, f"the score before it is {score[0]}:{score[1]}, which no match reaches")
    if {entry.teamASide, entry.teamBSide} != set(SIDES):
        raise MalformedRecord(file.name, place, f"sides {entry.teamASide!r} and {entry.teamBSide!r} are not ct and t")
    sides = (SIDES[entry.teamASide], SIDES[entry.teamBSide])
    if entry.winnerTeamKey not in _TEAM_KEYS:
        raise MalformedRecord(
            file.name, f"{place}.winnerTeamKey", f"{entry.winnerTeamKey!r} is neither teamA nor teamB"
        )
    winner = sides[_TEAM_KEYS.index(entry.winnerTeamKey)]
    if entry.winnerSide != winner.value:
        reason = f"{entry.winnerTeamKey} won, which played {winner.value}, but the winning side is {entry.winnerSide!r}"
        raise MalformedRecord(file.name, place, reason)
    if winner not in END_REASONS.get(entry.endReason, {}):
        raise MalformedRecord(
            file.name, f"{place}.endReason", f"{entry.endReason!r} cannot end a round that {winner.value} won"
        )
    clock = SegmentClock(entry.freezeEndTick, ticks_per_s)
    return RoundInfo(entry, clock, sides, END_REASONS[entry.endReason][winner], score)


def _mended(rounds: dict[int, RoundInfo], demo: raw.DemoFile) -> dict[int, RoundInfo]:
    """The rounds with the sides that were really played. Which side won is true: so another team won, and the score follows."""
    team_of = {player.steamId64: _TEAM_KEYS.index(player.teamKey) for player in demo.players}
    swapped = swapped_rounds(demo, {number: info.sides for number, info in rounds.items()}, team_of)
    if not swapped:
        return rounds
    score = list(next(iter(rounds.values())).score_before)
    mended: dict[int, RoundInfo] = {}
    for number, info in rounds.items():
        sides = (info.sides[1], info.sides[0]) if number in swapped else info.sides
        mended[number] = replace(info, sides=sides, score_before=(score[0], score[1]), swapped=number in swapped)
        score[mended[number].winner] += 1
    return mended
