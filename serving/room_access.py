"""Who may sit in a room: the account behind a WebSocket, the audience it sits with, and how many there may be.

Credentials come as they do with every request (``Authorization`` or ``X-API-Key``). A browser cannot set headers on a
WebSocket and names the sub-protocol ``bearer.<key or token>`` beside ``esports.v1`` instead; a query parameter is not read,
because addresses end up in logs. Somebody sits with one audience: the one that is asked for, else the most that the
account may receive. So nothing comes twice, although an analyst may read every channel.

Belongs here: admission and seats. Does not belong here: proving who somebody is (``auth.py``), what an audience gets.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from fastapi.requests import HTTPConnection
from fastapi.websockets import WebSocket

from serving.auth import Access
from serving.errors import ApiError
from serving.gate import Audience
from serving.roles import Principal, Role, Scope
from serving.room_ends import Code, Ended

PROTOCOL = "esports.v1"
_BEARER = "bearer."
_ORDER = (Audience.ANALYST, Audience.EDUCATIONAL, Audience.PUBLIC, Audience.COACH)
_PATIENCE = 10
"""So many checks in a row may fail for want of the database before a connection ends."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How many may sit where, and how much may wait for one of them."""

    clients: int = 1_000
    per_room: int = 500
    per_account: int = 20
    rooms: int = 100
    queue: int = 2_000
    queue_bytes: int = 8 * 1024 * 1024
    message_bytes: int = 4_096
    stall_s: float = 20.0
    recheck_s: float = 30.0
    idle_s: float = 20.0
    history_s: float = 3 * 3600.0


class Seats:
    """Who sits where, in this process."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._rooms: Counter[str] = Counter()
        self._accounts: Counter[str] = Counter()

    @contextlib.contextmanager
    def taken(self, room: str, identity: str) -> Iterator[None]:
        """Hold a seat. Ended where none is free."""
        limits = self._limits
        if self._rooms.total() >= limits.clients:
            raise Ended(Code.TOO_MANY, f"This process has {limits.clients} clients, the most that it takes.")
        if self._rooms[room] >= limits.per_room:
            raise Ended(Code.TOO_MANY, f"This room has {limits.per_room} clients, the most that it takes.")
        if self._accounts[identity] >= limits.per_account:
            raise Ended(Code.TOO_MANY, f"This account has {limits.per_account} connections, the most that it may have.")
        if not self._rooms[room] and len(+self._rooms) >= limits.rooms:
            raise Ended(Code.TOO_MANY, f"This process has {limits.rooms} rooms, the most that it opens.")
        self._rooms[room] += 1
        self._accounts[identity] += 1
        try:
            yield
        finally:
            for counts, name in ((self._rooms, room), (self._accounts, identity)):
                counts[name] -= 1
                if not counts[name]:
                    del counts[name]


class Guest:
    """The account behind one connection."""

    def __init__(self, websocket: WebSocket, access: Access) -> None:
        self._access = access
        self._request = _with_credentials(websocket)
        self._address = websocket.client.host if websocket.client else "unknown"

    async def admitted(self, asked: Audience | None) -> tuple[Principal, Audience]:
        """Who it is and with which audience. Ended where nobody may pass."""
        try:
            found = await asyncio.to_thread(self._access.admit, self._request, Role.VIEWER, Scope.LIVE)
        except ApiError as refusal:
            raise _refused(refusal) from refusal
        return found, _audience(found, asked)

    async def stays(self, audience: Audience, every_s: float) -> None:
        """Look again and again whether the credentials still hold; Ended when they do not."""
        failed = 0
        while True:
            await asyncio.sleep(every_s)
            try:
                found = await asyncio.to_thread(
                    self._access.authenticator.principal, self._request.headers, self._address
                )
            except ApiError as refusal:
                failed += 1
                if refusal.status != 503 or failed >= _PATIENCE:
                    raise _refused(refusal) from refusal
                continue
            failed = 0
            if audience not in found.audiences or not found.may_use(Scope.LIVE):
                raise Ended(Code.NOT_ALLOWED, f"This account may no longer receive what {audience.value} gets.")


def protocol_of(websocket: WebSocket) -> str | None:
    """The sub-protocol to answer with, if the client named ours."""
    return PROTOCOL if PROTOCOL in websocket.scope.get("subprotocols", ()) else None


def _with_credentials(websocket: WebSocket) -> HTTPConnection:
    """The request, with what stands in the sub-protocol as if it stood in a header; a second one is refused as always."""
    named = [name for name in websocket.scope.get("subprotocols", ()) if name.startswith(_BEARER)]
    if not named:
        return websocket
    token = named[0].removeprefix(_BEARER).encode("latin-1", "replace")
    headers = list(websocket.scope["headers"])
    if websocket.headers.get("authorization") is not None or len(named) > 1:
        headers.append((b"x-api-key", token))
    else:
        headers.append((b"authorization", b"Bearer " + token))
    return HTTPConnection({**websocket.scope, "headers": headers})


def _audience(principal: Principal, asked: Audience | None) -> Audience:
    if asked is None:
        return next(one for one in _ORDER if one in principal.audiences)
    if asked not in principal.audiences:
        raise Ended(Code.NOT_ALLOWED, f"The role {principal.role.value} does not receive what {asked.value} gets.")
    return asked


def _refused(refusal: ApiError) -> Ended:
    codes = {401: Code.BAD_CREDENTIALS, 403: Code.NOT_ALLOWED, 429: Code.TOO_MANY}
    return Ended(codes.get(refusal.status, Code.TRY_LATER), refusal.message)
