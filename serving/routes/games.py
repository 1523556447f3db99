"""Games of rock-paper-scissors: beginning one, playing it, looking at it. Does not belong here: figures about many games.

The routes take the raw request, as those of predictions do: most of a game's cost would be the framework's.
"""

from fastapi import APIRouter
from fastapi.requests import Request
from fastapi.responses import Response

from serving import games_answers as answers
from serving import games_inputs as inputs
from serving.errors import ApiError, json_response
from serving.parlour import Parlour
from serving.routes.predict import DirectRoute


def router(parlour: Parlour) -> APIRouter:
    """The routes of games, open to everybody within the limit of the account or address."""
    routes = APIRouter(tags=["games"], route_class=DirectRoute)
    games = parlour.games

    @routes.post("/start_game", summary="Begin a game")
    async def start_game(request: Request) -> Response:
        await parlour.admit(request)
        wish = inputs.wish_of(inputs.read(await request.body(), inputs.StartBody))
        return json_response(answers.started(*await games.start(wish)))

    @routes.post("/play", summary="Play a move")
    async def play(request: Request) -> Response:
        await parlour.admit(request)
        body = inputs.read(await request.body(), inputs.PlayBody)
        told = await games.play(body.game_id, inputs.move_of(body.user_move), body.round)
        return json_response(answers.played(*told))

    @routes.get("/round_points", summary="What the open round's moves are worth")
    async def round_points(request: Request) -> Response:
        await parlour.admit(request)
        game_id = request.query_params.get("game_id")
        if game_id is None:
            raise ApiError(422, "invalid_parameter", "game_id is missing.")
        return json_response(answers.standing(await games.find(game_id)))

    @routes.get("/policies", summary="Whom one can play against")
    async def policies(request: Request) -> Response:
        await parlour.admit(request)
        return json_response({"policies": parlour.policies()})

    return routes
