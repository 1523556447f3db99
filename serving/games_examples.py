"""Examples of requests and answers of games, as the API's document shows them.

Belongs here: one coherent game and its questions. Does not belong here: shapes (``games_schemas.py``).
"""

from typing import Any

from serving.games_schemas import (
    PlayedOut,
    PlayIn,
    PoliciesOut,
    PredictedAllOut,
    PredictedOut,
    QuestionIn,
    QuestionsIn,
    StandingOut,
    StartedOut,
    StartIn,
)
from serving.shapes import Shape

GAME_ID = "5f0c6f1e2a9b4c7d8e3f1a2b"
_HASH = "9c1185a5c5e9fc54612808977ee8f548b2258d31b5a5a6f2f5f1f0a1c8c8b6d3"
_POINTS = {"rock": 1.0, "paper": 1.3, "scissors": 1.8}
SAID = {
    401: ("bad_credentials", "Send either an API key or an Authorization header, not both."),
    404: ("unknown_game", f'There is no game "{GAME_ID}"; POST /start_game begins one.'),
    409: ("round_taken", "Another request has played round 4 of this game at the same time."),
    422: ("unknown_policy", '"nobody" is no policy; policies are brian, forrest, logan, mixture, bob, cal, dan.'),
    503: ("no_database", "The database does not answer; the log of the service says why."),
}
_INFO: dict[str, Any] = {
    "policy": "forrest",
    "model_type": "xgboost",
    "model_name": "rps.next_move.xgboost",
    "model_alias": "Production",
    "model_version": "7",
    "model_run_id": "0f3c9d2a",
    "difficulty_mode": "standard",
}
_GAMBIT = {
    **_INFO,
    "probability_source": "gambit",
    "sentence": "The bot opens with a gambit; its model plays from round 4 on.",
}
_CHANCE = {
    "alias": "Production",
    "model_key": "rps.next_move.xgboost@Production",
    "version": "7",
    "is_variant": False,
    "challenger_share": 0.5,
}
_NEXT = {"round": 1, "round_points": _POINTS, "commitment": _HASH}
START = Shape(StartIn, {"player_name": "Ada", "policy": "forrest"})
STARTED = Shape(
    StartedOut,
    {
        "game_id": GAME_ID,
        "session_id": "a1b2c3d4e5f60718",
        "player_name": "Ada",
        "bot_policy": "forrest",
        "policy": "forrest",
        "difficulty_mode": "standard",
        "bot_model_alias": "Production",
        "model_type": "xgboost",
        "status": "started",
        "message": f"Round 1 waits for your move against forrest. {_GAMBIT['sentence']}",
        "is_test": False,
        "traffic": "human",
        "secret_commitment": _HASH,
        **_NEXT,
        "next_round": _NEXT,
        "model_info": _GAMBIT,
        "ab_assignment": _CHANCE,
        "stored": True,
    },
)
PLAY = Shape(PlayIn, {"game_id": GAME_ID, "user_move": "scissors", "round": 1})
PLAYED = Shape(
    PlayedOut,
    {
        "game_id": GAME_ID,
        "round": 1,
        "user_move": "scissors",
        "player_move": "scissors",
        "bot_move": "paper",
        "result": "win",
        "user_delta": 1.8,
        "bot_delta": 0.0,
        "user_score": 1.8,
        "bot_score": 0.0,
        "round_points": _POINTS,
        "finished": False,
        "winner": None,
        "scores": {"player": 1.8, "bot": 0.0, "ties": 0},
        "policy": "forrest",
        "difficulty_mode": "standard",
        "model_info": _GAMBIT,
        "ab_assignment": _CHANCE,
        "reveal": {"move": "paper", "nonce": "8c1f0d7b2e4a6f9031c5d7e8a9b0c1d2", "commitment": _HASH},
        "next_round": {**_NEXT, "round": 2},
        "secret": None,
        "debug": {
            "probabilities": None,
            "move_values": None,
            "bot_probabilities": None,
            "equilibrium": None,
            "features": None,
            "predictions": [],
        },
        "message": f"You win 1.8 with scissors against paper. {_GAMBIT['sentence']}",
        "stored": True,
    },
)
STANDING = Shape(
    StandingOut,
    {
        "game_id": GAME_ID,
        **_NEXT,
        "secret_commitment": _HASH,
        "finished": False,
        "winner": None,
        "scores": {"player": 0.0, "bot": 0.0, "ties": 0},
        "policy": "forrest",
        "secret": None,
    },
)
QUESTION = Shape(
    QuestionIn,
    {
        "policy": "forrest",
        "player_history": ["rock", "rock", "paper"],
        "bot_history": ["paper", "scissors", "rock"],
        "round_values": _POINTS,
    },
)
QUESTIONS = Shape(QuestionsIn, {"requests": [QUESTION.example]})
PREDICTED = Shape(
    PredictedOut,
    {
        "prediction": "rock",
        "probabilities": {"rock": 0.48, "paper": 0.31, "scissors": 0.21},
        "policy": "forrest",
        "model_info": {**_INFO, "probability_source": "model"},
        "features_used": {"user_tend_rock": 0.6666666666666666, "step_no": 4.0},
        "assumed": ["values_before", "scores"],
    },
)
PREDICTED_ALL = Shape(PredictedAllOut, {"predictions": [PREDICTED.example]})
POLICIES = Shape(
    PoliciesOut,
    {
        "policies": [
            {
                "policy": "forrest",
                "model_type": "xgboost",
                "model_name": "rps.next_move.xgboost",
                "bot": "cal",
                "versions": {"Production": "7", "B": "8"},
                "plays": "model",
                "reasons": [],
            }
        ]
    },
)
