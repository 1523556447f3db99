"""Matches of the lake, and win probability over one of them. Does not belong here: reading (``match_reader.py``)."""

import asyncio
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from serving import examples, responses, schemas, winprob
from serving.errors import ApiError, json_response
from serving.match_reader import MatchRows
from serving.routes.predict import served_model
from serving.served import POLICY, ServedModel
from serving.service import Service

_SAID = {404: responses.UNKNOWN_MATCH, 409: responses.NO_WINDOWS, 422: responses.BAD_ALIAS}
MOST_MATCHES = 1_000_000_000
"""No lake has more, and JSON numbers go no further everywhere."""
_KIND = {"1hz": "second", "event": "event"}


def router(service: Service) -> APIRouter:
    """The routes about matches."""
    routes = APIRouter(prefix="/api/v1/matches", tags=["matches"])
    reader = service.matches

    @routes.get(
        "",
        summary="Matches of the lake, latest day first",
        responses={200: {"model": schemas.MatchesOut}, **responses.errors(422, said={422: responses.BAD_FILTER})},
    )
    async def matches(
        title: Annotated[str | None, Query(examples=["cs2"])] = None,
        day: Annotated[date | None, Query(examples=["2025-06-01"])] = None,
        simulated: bool | None = None,
        quarantined: bool | None = None,
        offset: Annotated[int, Query(ge=0, le=MOST_MATCHES)] = 0,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
    ) -> Response:
        found = await asyncio.to_thread(reader.matches, title, day, simulated, quarantined)
        page = found[offset : offset + limit]
        return json_response({"total": len(found), "offset": offset, "limit": limit, "matches": page})

    @routes.get(
        "/{match_id}/win-probability",
        summary="Win probability over a match, its swings, and what each player added",
        responses={
            200: {"model": schemas.WinProbabilityOut},
            **responses.errors(404, 409, 422, 503, said=_SAID),
        },
    )
    async def win_probability(
        match_id: Annotated[str, Path(max_length=200, examples=[examples.MATCH_ID])],
        alias: schemas.AliasName = "Production",
        every: Literal["1hz", "event"] = "1hz",
    ) -> Response:
        record = await asyncio.to_thread(reader.match, match_id)
        task = f"{record.header.title.value}.round_win"
        if task not in service.watcher.tasks:
            raise ApiError(404, "unknown_task", f"Win probability of {record.header.title.value} is not served here.")
        served = served_model(service, task, alias)

        def content() -> Response:
            return json_response(_content(reader.rows(record, served), served, every))

        return await asyncio.to_thread(content)

    return routes


def _content(match: MatchRows, served: ServedModel, every: str) -> dict[str, Any]:
    header = match.record.header
    positive = served.contract.positive_class
    rows = winprob.with_outcomes(match.rows, match.ends, positive)
    return {
        "match_id": header.match_id,
        "title": header.title.value,
        "map": header.map,
        "simulated": header.simulated,
        "task": served.contract.task,
        "every": every,
        "positive_class": positive,
        "rounds": winprob.rounds(rows, match.ends, match.players, _KIND[every], f"p_{positive}"),
        "swings": [winprob.swing_json(swing) for swing in winprob.swings(rows)],
        "players": winprob.totals(rows, match.players, positive),
        "model_info": served.model_info(match.source),
        "policy": POLICY,
    }
