"""The WebSockets: a match as it is played, and a match of the lake played again.

Messages, close codes and limits are described in ``docs/live_feed.md``. Does not belong here: rooms and replays themselves.
"""

import contextlib
from collections.abc import Awaitable, Callable

from fastapi import APIRouter
from fastapi.websockets import WebSocket, WebSocketDisconnect

from serving.gate import Audience
from serving.room_access import Guest, protocol_of
from serving.room_connection import Connection, Outbox
from serving.room_ends import Code, Ended
from serving.room_parts import Query, Rooms, Session

_LONGEST_ID = 200
Open = Callable[[str, Audience, Query, Outbox], Awaitable[Session]]


def router(rooms: Rooms) -> APIRouter:
    """The routes of WebSockets; they are no part of an OpenAPI document."""
    routes = APIRouter()

    @routes.websocket("/ws/live/{match_id}")
    async def live(websocket: WebSocket, match_id: str) -> None:
        await _visit(websocket, rooms, "live", match_id, rooms.live)

    @routes.websocket("/ws/replay/{match_id}")
    async def replay(websocket: WebSocket, match_id: str) -> None:
        await _visit(websocket, rooms, "replay", match_id, rooms.replay)

    return routes


async def _visit(websocket: WebSocket, rooms: Rooms, endpoint: str, match_id: str, begin: Open) -> None:
    """One connection from its handshake on. It is accepted before it is refused, so that every client can read why."""
    with contextlib.suppress(WebSocketDisconnect):
        await websocket.accept(subprotocol=protocol_of(websocket))
        connection = Connection(websocket, endpoint, rooms.limits, rooms.metrics)
        try:
            guest = Guest(websocket, rooms.access)
            query = dict(websocket.query_params)
            principal, audience = await guest.admitted(_audience(query))
            if len(match_id) > _LONGEST_ID:
                raise Ended(Code.UNKNOWN_MATCH, f"A match id has at most {_LONGEST_ID} characters.")
            seat = rooms.seats.taken(f"{endpoint}/{match_id}", principal.identity)
            with seat, rooms.metrics.live_client(endpoint, audience.value):
                session = await begin(match_id, audience, query, connection.outbox)
                connection.token = lambda: session.token
                work = [session.run(), session.keep_alive(rooms.limits.idle_s)]
                if not principal.anonymous:
                    work.append(guest.stays(audience, rooms.limits.recheck_s))
                await connection.run(*work, heard=session.heard)
        except Ended as ended:
            await connection.close(ended.end)


def _audience(query: Query) -> Audience | None:
    """The audience that is asked for, if any. Ended for a word that is none."""
    told = query.get("audience")
    try:
        return None if told is None else Audience(told.upper())
    except ValueError as error:
        raise Ended(Code.BAD_REQUEST, f"An audience is one of {', '.join(Audience)}.") from error
