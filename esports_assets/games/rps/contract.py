"""The 50 inputs of every model of the next move: names, order, meaning and version (row 004-07).

Version 2, the only one that is computed here: in every family of lags ``_-1`` is the round before the one asked about, ``_-2`` the
round before that, ``_-3`` the third. Version 1, that of the first platform, held the oldest of the three rounds in ``user_-1_*``,
``bot_-1_*`` and ``res_-1_*`` and the newest in their ``_-3`` (three rounds back and one back changed places), while ``points_-1_*``
was the newest in both. Names, order and every other meaning are the same, so only the version tells rows of the two apart: it
goes into the fingerprint of the window ``rps/next_move``, and a model of another fingerprint is refused.

Belongs here: what the fifty are.
Does not belong here: how they are computed (``features.py``).
"""

from dataclasses import dataclass

CONTRACT_VERSION = "2"
"""Version of the meanings below."""
LAGS = (1, 2, 3)
"""How many rounds back the lags look."""
FIRST_LABELLED_STEP = 4
"""The first round that is a row for learning: the first with three rounds before it. Earlier rounds still count as history."""
EASY_MODE_INDEX = 49
"""Where ``easy_mode`` stands."""


@dataclass(frozen=True, slots=True)
class Input:
    """One of the fifty: name, unit, bounds and meaning."""

    name: str
    unit: str
    doc: str
    minimum: float | None = 0.0
    maximum: float | None = None


_MOVES = ("rock", "paper", "scissors")
_BACK = {1: "in the last round", 2: "two rounds ago", 3: "three rounds ago"}


def _hands(who: str, whose: str) -> tuple[Input, ...]:
    return tuple(
        Input(
            f"{who}_-{lag}_{move}",
            "0 or 1",
            f"Whether {whose} played {move} {_BACK[lag]}; 0 without such a round",
            0,
            1,
        )
        for lag in LAGS
        for move in _MOVES
    )


_RESULTS = tuple(
    Input(f"res_-{lag}_{result}", "0 or 1", f"Whether it was a {result} for the user {_BACK[lag]}; 0 without it", 0, 1)
    for lag in LAGS
    for result in ("win", "lose", "draw")
)
_VALUES = tuple(Input(f"{move}_pts", "points", f"What {move} is worth in the round asked about") for move in _MOVES)
_VALUES_BEFORE = tuple(
    Input(f"points_-{lag}_{move}", "points", f"What {move} was worth {_BACK[lag]}; without such a round what it is now")
    for lag in LAGS
    for move in _MOVES
)
_HABITS = tuple(
    Input(f"user_tend_{move}", "share", f"Share of {move} among all moves of the user so far; 0 before the first", 0, 1)
    for move in _MOVES
)
_TIERS = (
    Input(
        "tend_favored",
        "share",
        "Share of the user's moves that were worth most in their round; 0 before the first",
        0,
        1,
    ),
    Input(
        "tend_fav_beater", "share", "Share of the user's moves that beat the move worth most; 0 before the first", 0, 1
    ),
    Input("tend_fav_beater_beater", "share", "Share of the user's moves that beat that one; 0 before the first", 0, 1),
)
_STANDING = (
    Input("score_diff", "points", "Points of the user minus those of the bot", None),
    Input("user_pts_to_win", "points", "How many points the user is short of ten, at least 0", 0, 10),
    Input("bot_pts_to_win", "points", "How many points the bot is short of ten, at least 0", 0, 10),
    Input("step_no", "rounds", "Number of the round asked about, from 1", 1),
    Input("easy_mode", "0 or 1", "Whether the bot plays its retired easy mode", 0, 1),
)

INPUTS: tuple[Input, ...] = (
    *_hands("user", "the user"),
    *_hands("bot", "the bot"),
    *_RESULTS,
    *_VALUES,
    *_VALUES_BEFORE,
    *_HABITS,
    *_TIERS,
    *_STANDING,
)
"""The fifty in their order. The move worth most in a round is the first of rock, paper, scissors among equals."""

FEATURE_NAMES: tuple[str, ...] = tuple(entry.name for entry in INPUTS)
"""The names in order."""
