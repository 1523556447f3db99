"""What the game routes answer: games, rounds and who chose the bot's moves, as JSON.

Belongs here: shapes of answers, and what may be told when. The bot's open move, its nonce and the secret of a running game are
in none of them.
Does not belong here: playing (``games.py``), figures (``games_figures.py``), what OpenAPI says (``games_schemas.py``).
"""

from typing import Any

from esports_assets.games.rps.moves import MOVES
from serving.games_policies import Policy
from serving.games_rows import FIFTY
from serving.games_turns import LiveGame, Opened, Said, Setup, Source, Turn
from serving.games_writer import Fate

DIFFICULTY = "standard"
"""The one mode there is; the easy one is retired."""
_BY = {
    Source.MODEL: "The model chose the bot's move.",
    Source.GAMBIT: "The bot opens with a gambit; its model plays from round 4 on.",
    Source.BOT: "The scripted bot {bot} plays.",
    Source.FALLBACK_BOT: "No model plays for {policy} now: the scripted bot {bot} stands in.",
}


def model_info(setup: Setup, source: Source) -> dict[str, Any]:
    """Who chooses the bot's moves, and where that of one round comes from."""
    policy, assignment, model = setup.policy, setup.table.assignment, setup.table.own
    return {
        "policy": policy.name,
        "model_type": policy.family,
        "model_name": None if assignment is None else assignment.registered,
        "model_alias": None if assignment is None else assignment.alias.value,
        "model_version": None if assignment is None else str(assignment.version),
        "model_run_id": None if model is None else model.contract.mlflow_run_id[:8],
        "difficulty_mode": DIFFICULTY,
        "probability_source": source.value,
        "sentence": _BY[source].format(bot=policy.bot.name, policy=policy.name),
    }


def ab_assignment(setup: Setup) -> dict[str, Any] | None:
    """Which version chance gave the game to; null where no model plays."""
    assignment = setup.table.assignment
    if assignment is None:
        return None
    return {
        "alias": assignment.alias.value,
        "model_key": f"{assignment.registered}@{assignment.alias.value}",
        "version": str(assignment.version),
        "is_variant": assignment.alias.value == "B",
        "challenger_share": assignment.challenger_share,
    }


def next_round(opened: Opened | None) -> dict[str, Any] | None:
    """What may be known of a round before its moves: what they are worth, and the hash of the bot's."""
    if opened is None:
        return None
    one = opened.round
    return {"round": one.step_no, "round_points": one.values.by_move, "commitment": one.commitment}


def started(game: LiveGame, fate: Fate) -> dict[str, Any]:
    """The answer to a new game."""
    setup, opened = game.setup, game.opened
    assert opened is not None
    info = model_info(setup, opened.source)
    following = next_round(opened)
    return {
        "game_id": setup.game_id,
        "session_id": setup.session_id,
        "player_name": setup.player,
        "bot_policy": setup.policy.name,
        "policy": setup.policy.name,
        "difficulty_mode": DIFFICULTY,
        "bot_model_alias": info["model_alias"],
        "model_type": info["model_type"],
        "status": "started",
        "message": f"Round 1 waits for your move against {setup.policy.name}. {info['sentence']}",
        "is_test": setup.is_test,
        "traffic": setup.traffic.value,
        "secret_commitment": setup.commitment,
        "round": opened.round.step_no,
        "round_points": opened.round.values.by_move,
        "commitment": opened.round.commitment,
        "next_round": following,
        "model_info": info,
        "ab_assignment": ab_assignment(setup),
        "stored": fate is Fate.STORED,
    }


def played(game: LiveGame, turn: Turn, fate: Fate) -> dict[str, Any]:
    """The answer to a move: the round, what was committed to, what the model had expected, and what waits next."""
    setup, told, state = turn.setup, turn.told, turn.state
    info = model_info(setup, turn.opened.source)
    return {
        "game_id": setup.game_id,
        "round": told.step_no,
        "user_move": told.user.value,
        "player_move": told.user.value,
        "bot_move": told.bot.value,
        "result": told.result.value,
        "user_delta": told.user_points,
        "bot_delta": told.bot_points,
        "user_score": told.user_score,
        "bot_score": told.bot_score,
        "round_points": told.values.by_move,
        "finished": state.finished,
        "winner": None if state.winner is None else state.winner.value,
        "scores": {"player": state.user_score, "bot": state.bot_score, "ties": game.draws},
        "policy": setup.policy.name,
        "difficulty_mode": DIFFICULTY,
        "model_info": info,
        "ab_assignment": ab_assignment(setup),
        "reveal": {
            "move": told.bot.value,
            "nonce": turn.opened.round.nonce,
            "commitment": turn.opened.round.commitment,
        },
        "next_round": next_round(turn.following),
        "secret": setup.secret.hex() if state.finished else None,
        "debug": _debug(turn.opened),
        "message": f"{_outcome(turn)} {info['sentence']}",
        "stored": fate is Fate.STORED,
    }


def standing(game: LiveGame) -> dict[str, Any]:
    """The answer to a look at a game: what a player may know of it now."""
    setup, state = game.setup, game.state
    following = next_round(game.opened)
    return {
        "game_id": setup.game_id,
        "round": None if following is None else following["round"],
        "round_points": None if following is None else following["round_points"],
        "commitment": None if following is None else following["commitment"],
        "secret_commitment": setup.commitment,
        "finished": state.finished,
        "winner": None if state.winner is None else state.winner.value,
        "scores": {"player": state.user_score, "bot": state.bot_score, "ties": game.draws},
        "policy": setup.policy.name,
        "secret": setup.secret.hex() if state.finished else None,
    }


def described(policy: Policy, versions: dict[str, str], reasons: list[str]) -> dict[str, Any]:
    """A policy, the versions behind it, and why others are not."""
    has_model = "Production" in versions
    return {
        "policy": policy.name,
        "model_type": policy.family,
        "model_name": policy.registered,
        "bot": policy.bot.name,
        "versions": versions,
        "plays": "model" if has_model else ("bot" if policy.family is None else "fallback_bot"),
        "reasons": reasons,
    }


def by_move(values: tuple[float, float, float] | None) -> dict[str, float] | None:
    """Three numbers by the names of moves."""
    return None if values is None else {move.value: value for move, value in zip(MOVES, values, strict=True)}


def _debug(opened: Opened) -> dict[str, Any]:
    """What was expected before the move, told after it; nulls where no model chose."""
    decision = opened.decision
    return {
        "probabilities": by_move(opened.expected),
        "move_values": None if decision is None else by_move(decision.payoffs),
        "bot_probabilities": None if decision is None else by_move(decision.probabilities),
        "equilibrium": None if decision is None else by_move(decision.equilibrium),
        "features": opened.rows.get(FIFTY),
        "predictions": [_said(said) for said in opened.said],
    }


def _said(said: Said) -> dict[str, Any]:
    return {
        "alias": said.alias.value,
        "version": str(said.version),
        "probabilities": by_move(said.probabilities),
        "latency_ms": said.latency_ms,
    }


def _outcome(turn: Turn) -> str:
    told, state = turn.told, turn.state
    points = f"{told.user.value} against {told.bot.value}"
    words = {"win": f"You win {told.user_points:g}", "lose": f"The bot wins {told.bot_points:g}", "draw": "A draw"}
    said = f"{words[told.result.value]} with {points}."
    if state.winner is None:
        return said
    ends = {"user": "You win the game", "bot": "The bot wins the game", "tie": "The game is a tie"}
    return f"{said} {ends[state.winner.value]}, {state.user_score:g} to {state.bot_score:g}."
