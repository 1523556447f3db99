"""Figures over games of people. Does not belong here: the questions to the database (``games_figures.py``)."""

import csv
import io
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query
from fastapi.responses import Response

from serving import figures_schemas as shapes
from serving import responses
from serving.errors import json_response
from serving.games_examples import GAME_ID, SAID
from serving.games_policies import policy_named
from serving.parlour import Parlour
from serving.shapes import Shape

Limit = Annotated[int, Query(ge=1, le=200)]
Most = Annotated[int, Query(ge=1, le=1000, description="Games")]
Text = Annotated[str | None, Query(max_length=120, pattern=r"^[^\x00]+$", examples=["Ada"])]
PolicyName = Annotated[str | None, Query(max_length=40, examples=["forrest"])]
GameId = Annotated[
    str | None,
    Query(max_length=120, pattern=r"^[^\x00]+$", description="The last game of the page before", examples=[GAME_ID]),
]
Player = Annotated[str, Path(max_length=120, pattern=r"^[^\x00]+$", examples=["Ada"])]
PolicyPath = Annotated[str, Path(max_length=40, examples=["forrest"])]


def router(parlour: Parlour) -> APIRouter:
    """The routes of figures, open to everybody within the limit of the account or address."""
    routes = APIRouter(tags=["games"], dependencies=[Depends(parlour.admit)])

    @routes.get("/leaderboard", summary="Who wins most, of five games or more", responses=_said(shapes.LEADERBOARD))
    def leaderboard(limit: Limit = 20) -> Response:
        return json_response({"leaderboard": parlour.figures.leaderboard(limit)})

    @routes.get("/games", summary="The latest games of people", responses=_said(shapes.GAMES))
    def games(limit: Limit = 20, player: Text = None, policy: PolicyName = None) -> Response:
        return json_response({"games": parlour.figures.games(limit, player, policy)})

    @routes.get("/stats", summary="All games together", responses=_said(shapes.STATS))
    @routes.get("/stats/global", summary="All games together", responses=_said(shapes.STATS), include_in_schema=False)
    def stats() -> Response:
        figures = parlour.figures
        return json_response({**figures.totals(), "moves": figures.moves(), "policies": figures.by_policy()})

    @routes.get("/stats/policy/{policy}", summary="Games against a policy", responses=_said(shapes.POLICY_STATS))
    def stats_of_policy(policy: PolicyPath) -> Response:
        name, figures = policy_named(policy).name, parlour.figures
        return json_response({"policy": name, **figures.totals(policy=name), "moves": figures.moves(policy=name)})

    @routes.get("/stats/player/{name}", summary="Games of a player", responses=_said(shapes.PLAYER_STATS))
    def stats_of_player(name: Player) -> Response:
        figures = parlour.figures
        told = {**figures.totals(player=name), "moves": figures.moves(player=name)}
        return json_response({"player_name": name, **told, "policies": figures.by_policy(name)})

    @routes.get("/bot_win_rates", summary="How often the bot won, by version", responses=_said(shapes.BOT_WIN_RATES))
    def bot_win_rates() -> Response:
        return json_response({"policies": parlour.figures.bot_win_rates()})

    @routes.get("/win_streaks", summary="The longest rows of won games", responses=_said(shapes.WIN_STREAKS))
    def win_streaks(limit: Limit = 20) -> Response:
        return json_response({"win_streaks": parlour.figures.win_streaks(limit)})

    @routes.get("/export", summary="Rounds of finished games, a page of games at a time", responses=_exported())
    def export(
        form: Annotated[Literal["json", "csv"], Query(alias="format")] = "json", limit: Most = 100, after: GameId = None
    ) -> Response:
        rows = parlour.figures.rounds(limit, after)
        if form == "json":
            return json_response({"rounds": rows})
        sink = io.StringIO()
        writer = csv.DictWriter(sink, shapes.EXPORT_COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: _safe(value) for name, value in row.items()} for row in rows)
        return Response(sink.getvalue(), media_type="text/csv; charset=utf-8")

    return routes


def _safe(value: object) -> object:
    """Text that a spreadsheet would take for a formula is told as text."""
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@" else value


def _said(shape: Shape) -> responses.Responses:
    return {
        200: {"model": shape.model, "content": {"application/json": {"example": shape.example}}},
        **responses.errors(401, 403, 422, 429, 503, said=SAID),
    }


def _exported() -> responses.Responses:
    said = _said(shapes.EXPORT)
    text = {"schema": {"type": "string"}, "example": ",".join(shapes.EXPORT_COLUMNS) + "\n"}
    said[200]["content"]["text/csv"] = text
    return said
