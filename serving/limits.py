"""The outermost layer: an id, a limited body, a measured time and always an answer for each request.

Belongs here: what holds for all routes alike, as plain ASGI. Does not belong here: anything about a particular route.
"""

import asyncio
import logging
import re
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from time import perf_counter
from typing import Any

from starlette.requests import ClientDisconnect

from serving.errors import error_body
from serving.metrics import Metrics

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

HEADERS = "esports.headers"
"""Name in the scope under which what admits a request leaves headers for the answer, whatever that is."""

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_log = logging.getLogger("serving")


class _Refused(Exception):
    """The body is refused before the route saw all of it."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.answer = (status, code, message)


class RequestGuard:
    """ASGI middleware; ``limit_of`` gives the largest body allowed for a path."""

    def __init__(self, app: App, metrics: Metrics, limit_of: Callable[[str], int], body_timeout_s: float) -> None:
        self._app = app
        self._metrics = metrics
        self._limit_of = limit_of
        self._timeout_s = body_timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = perf_counter()
        request_id, declared = _read_head(scope)
        limit = self._limit_of(scope["path"])
        status = 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                told = scope.get(HEADERS, ())
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", request_id), *told]
            await send(message)

        try:
            if declared > limit:
                raise _too_large(limit)
            await self._app(scope, _limited(receive, limit, self._timeout_s), answer)
        except _Refused as refusal:
            if status:
                raise
            await _send_error(answer, *refusal.answer)
        except ClientDisconnect:
            _log.info("request %s: the client went away", request_id.decode())
        except Exception:
            _log.exception("request %s failed", request_id.decode())
            if status:
                raise
            message = f"Something went wrong here; the log has it under request {request_id.decode()}."
            await _send_error(answer, 500, "internal_error", message)
        finally:
            route = getattr(scope.get("route"), "path", "unmatched")
            self._metrics.request(route, scope["method"], status or 499, perf_counter() - started)


def _read_head(scope: Scope) -> tuple[bytes, int]:
    """The request's id (the client's, if it is a plain one) and the declared length of its body."""
    request_id = b""
    declared = 0
    for name, value in scope["headers"]:
        if name == b"content-length":
            declared = int(value) if value.isdigit() else 0
        elif name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
            request_id = value
    return request_id or secrets.token_hex(8).encode(), declared


def _limited(receive: Receive, limit: int, timeout_s: float) -> Receive:
    """``receive`` that refuses what grows over the limit or takes too long to arrive."""
    seen = 0
    deadline: float | None = None
    complete = False

    async def limited() -> Message:
        nonlocal seen, deadline, complete
        if complete:
            return await receive()
        loop = asyncio.get_running_loop()
        if deadline is None:
            deadline = loop.time() + timeout_s
        try:
            async with asyncio.timeout_at(deadline):
                message = await receive()
        except TimeoutError as error:
            raise _Refused(408, "body_too_slow", f"The body did not arrive within {timeout_s:g} s.") from error
        if message["type"] == "http.request":
            seen += len(message.get("body", b""))
            if seen > limit:
                raise _too_large(limit)
            complete = not message.get("more_body", False)
        return message

    return limited


def _too_large(limit: int) -> _Refused:
    return _Refused(413, "body_too_large", f"The body is larger than {limit} bytes, the most that this route takes.")


async def _send_error(send: Send, status: int, code: str, message: str) -> None:
    body = error_body(code, message)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if status in (408, 413):
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
