"""What a model says of a player's next move, from a history that the caller tells: no game is needed.

Belongs here: questions, their bodies, and the answer with the features that were used.
Does not belong here: completing histories (``games/rps/histories.py``), games that are played here (``games.py``).
"""

from typing import Any

import msgspec

from esports_assets.games.rps.experts.signs import PersonSigns
from esports_assets.games.rps.features import CLASSES
from esports_assets.games.rps.histories import HistoryError, history_of
from esports_assets.games.rps.moves import Move, Result
from esports_assets.games.rps.values import FLAT
from esports_assets.promotion.terms import Alias
from serving.errors import ApiError, quoted
from serving.families import FamilyWatcher
from serving.games_answers import DIFFICULTY, by_move
from serving.games_assignment import unfit
from serving.games_policies import DEFAULT, policy_named
from serving.games_rows import PERSON, WINDOWS, GameRows
from serving.games_turns import ask
from serving.served import ServedModel

MOST_ROUNDS = 200
"""No history is longer: a game has twenty rounds at most."""
MOST_QUESTIONS = 1_000


class Assigned(msgspec.Struct, forbid_unknown_fields=True):
    """Which alias answers."""

    alias: str = Alias.PRODUCTION.value


class Question(msgspec.Struct, forbid_unknown_fields=True):
    """Moves oldest first; instead of ``bot_history`` results may be told. What is not told is assumed, and named in the answer."""

    policy: str = DEFAULT
    player_history: list[str] = []
    bot_history: list[str] = []
    result_history: list[str] = []
    round_values: dict[str, float] | None = None
    values_history: list[dict[str, float]] = []
    scores: tuple[float, float] | None = None
    ab_assignment: Assigned | str | None = None


class Questions(msgspec.Struct, forbid_unknown_fields=True):
    """Several questions."""

    requests: list[Question]


def answer(question: Question, families: FamilyWatcher) -> dict[str, Any]:
    """What the model says; ApiError 422 for a question that cannot be, 503 where no model is promoted."""
    model = _model(question, families)
    if max(len(question.player_history), len(question.bot_history), len(question.values_history)) > MOST_ROUNDS:
        raise ApiError(422, "long_history", f"A history has at most {MOST_ROUNDS} rounds.")
    try:
        history = history_of(
            question.player_history,
            question.bot_history,
            FLAT.by_move if question.round_values is None else question.round_values,
            results=question.result_history,
            values_before=question.values_history,
            scores=question.scores,
        )
    except HistoryError as error:
        raise ApiError(422, "bad_history", f"The history does not fit: {error}.") from error
    rows = GameRows(history.state, _signs(question) if model.contract.window == PERSON else None).at(history.values_now)
    (said,) = ask({Alias(model.alias): model}, rows)
    if said.probabilities is None:
        raise ApiError(503, "no_answer", "The model gave no answer; the log says why.")
    window = model.contract.window
    best = said.probabilities.index(max(said.probabilities))
    assumed = history.assumed if question.round_values is not None else (*history.assumed, "round_values")
    return {
        "prediction": CLASSES[best],
        "probabilities": by_move(said.probabilities),
        "policy": question.policy,
        "model_info": {
            "policy": question.policy,
            "model_type": model.contract.family,
            "model_name": model.contract.registered_name,
            "model_alias": model.alias,
            "model_version": model.contract.version,
            "model_run_id": model.contract.mlflow_run_id[:8],
            "difficulty_mode": DIFFICULTY,
            "probability_source": "model",
        },
        "features_used": dict(zip(WINDOWS[window], rows[window], strict=True)),
        "assumed": assumed,
    }


def _signs(question: Question) -> PersonSigns:
    """The signs after a history that was found to fit; the bot's moves follow from the results where they are not told."""
    signs = PersonSigns()
    for number, word in enumerate(question.player_history):
        user = Move(word)
        if question.bot_history:
            bot = Move(question.bot_history[number])
        else:
            result = Result(question.result_history[number])
            bot = {Result.DRAW: user, Result.WIN: user.beats, Result.LOSE: user.beaten_by}[result]
        signs.update(bot.ordinal, user.ordinal)
    return signs


def _model(question: Question, families: FamilyWatcher) -> ServedModel:
    policy = policy_named(question.policy)
    if policy.registered is None:
        message = f"{policy.name} is a scripted bot and predicts nothing; ask a policy with a model behind it."
        raise ApiError(422, "no_predictor", message)
    alias = _alias(question.ab_assignment)
    model = families.models(policy.registered).get(alias)
    if model is None:
        raise ApiError(503, "no_model", f"{policy.registered} has no version under {alias}: nothing is promoted there.")
    fault = unfit(model)
    if fault is not None:
        raise ApiError(503, "no_model", fault)
    return model


def _alias(told: Assigned | str | None) -> str:
    word = told.alias if isinstance(told, Assigned) else (told or Alias.PRODUCTION.value)
    if word not in list(Alias):
        raise ApiError(422, "unknown_alias", f"{quoted(word)} is not an alias; aliases are {', '.join(Alias)}.")
    return word
