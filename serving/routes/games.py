"""Games of rock-paper-scissors: beginning one, playing it, looking at it, asking a model. Does not belong here: figures.

The routes take the raw request, as those of predictions do: most of a game's cost would be the framework's.
"""

from typing import Any

from fastapi import APIRouter
from fastapi.requests import Request
from fastapi.responses import Response

from serving import games_answers as answers
from serving import games_examples as shapes
from serving import games_inputs as inputs
from serving import games_predict as predicting
from serving import responses
from serving.errors import ApiError, json_response
from serving.parlour import Parlour
from serving.routes.predict import DirectRoute
from serving.shapes import Shape

_CREDENTIALS: list[dict[str, list[str]]] = [{}, {"HTTPBearer": []}, {"APIKeyHeader": []}]
_GAME_ID = {"name": "game_id", "in": "query", "required": True, "schema": {"type": "string"}, "example": shapes.GAME_ID}


def router(parlour: Parlour) -> APIRouter:
    """The routes of games, open to everybody within the limit of the account or address."""
    routes = APIRouter(tags=["games"], route_class=DirectRoute)
    games, families = parlour.games, parlour.families

    @routes.post("/start_game", summary="Begin a game", **_documented(shapes.STARTED, shapes.START))
    async def start_game(request: Request) -> Response:
        await parlour.admit(request)
        wish = inputs.wish_of(inputs.read(await request.body(), inputs.StartBody))
        return json_response(answers.started(*await games.start(wish)))

    @routes.post("/play", summary="Play a move", **_documented(shapes.PLAYED, shapes.PLAY, 404, 409))
    async def play(request: Request) -> Response:
        await parlour.admit(request)
        body = inputs.read(await request.body(), inputs.PlayBody)
        told = await games.play(body.game_id, inputs.move_of(body.user_move), body.round)
        return json_response(answers.played(*told))

    @routes.get(
        "/round_points",
        summary="What the open round's moves are worth",
        **_documented(shapes.STANDING, None, 404, parameters=[_GAME_ID]),
    )
    async def round_points(request: Request) -> Response:
        await parlour.admit(request)
        game_id = request.query_params.get("game_id")
        if game_id is None:
            raise ApiError(422, "invalid_parameter", "game_id is missing.")
        return json_response(answers.standing(await games.find(game_id)))

    @routes.post("/predict", summary="A player's next move", **_documented(shapes.PREDICTED, shapes.QUESTION))
    async def predict(request: Request) -> Response:
        await parlour.admit(request)
        question = inputs.read(await request.body(), predicting.Question)
        return json_response(predicting.answer(question, families))

    @routes.post("/predict/batch", summary="Several of them", **_documented(shapes.PREDICTED_ALL, shapes.QUESTIONS))
    async def batch(request: Request) -> Response:
        await parlour.admit(request)
        asked = inputs.read(await request.body(), predicting.Questions).requests
        if not 1 <= len(asked) <= predicting.MOST_QUESTIONS:
            most = predicting.MOST_QUESTIONS
            raise ApiError(422, "batch_size", f"A batch has 1 to {most} requests; this one has {len(asked)}.")
        return json_response({"predictions": [predicting.answer(question, families) for question in asked]})

    @routes.get("/policies", summary="Whom one can play against", **_documented(shapes.POLICIES, None))
    @routes.get("/predict/policies", summary="The same", include_in_schema=False)
    async def policies(request: Request) -> Response:
        await parlour.admit(request)
        return json_response({"policies": parlour.policies()})

    return routes


def _documented(answer: Shape, body: Shape | None, *more: int, **told: Any) -> dict[str, Any]:
    """What OpenAPI says of a route that takes the raw request."""
    extra: dict[str, Any] = {"security": _CREDENTIALS, **told}
    if body is not None:
        schema = {"$ref": f"#/components/schemas/{body.model.__name__}"}
        content = {"schema": schema, "example": body.example}
        extra["requestBody"] = {"content": {"application/json": content}}
    good = {"model": answer.model, "content": {"application/json": {"example": answer.example}}}
    said = responses.errors(401, 403, 422, 429, 503, *more, said=shapes.SAID)
    return {"responses": {200: good, **said}, "openapi_extra": extra}
