"""Errors as one sentence each: ``{"error": {"code", "message"}}``, never a traceback.

Belongs here: the error a route raises and how every error is answered.
Does not belong here: the rules that lead to one.
"""

import json
from collections.abc import Mapping
from typing import Any

import orjson
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.requests import Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

_LONGEST = 80
_NOT_JSON = "The body cannot be read as JSON."
"""What the framework refuses with 400 and nothing else: bytes that are no text in JSON's encoding."""


class ApiError(Exception):
    """An answer other than 2xx: status, a code for programs, one sentence for people, and headers where they say more."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.headers = headers
        self.status = status
        self.code = code
        self.message = message


def json_response(content: Any, status: int = 200) -> Response:
    """A JSON answer; numpy scalars and ready-made fragments are allowed."""
    return Response(orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY), status, media_type="application/json")


def error_body(code: str, message: str) -> bytes:
    """The body of an error."""
    return orjson.dumps({"error": {"code": code, "message": message}})


def quoted(value: object) -> str:
    """Client text as it may stand in a sentence: ASCII, quoted, short."""
    text = json.dumps(value) if isinstance(value, str) else ascii(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def install(app: FastAPI) -> None:
    """Answer every error of routing, validation and routes in the one form."""

    async def api_error(_: Request, error: Exception) -> Response:
        assert isinstance(error, ApiError)
        headers = dict(error.headers or {})
        return Response(error_body(error.code, error.message), error.status, headers, "application/json")

    async def http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code == 404:
            code, message = (
                "not_found",
                f"There is nothing at {quoted(request.url.path)}; /openapi.json lists every route.",
            )
        elif error.status_code == 405:
            code, message = (
                "method_not_allowed",
                f"{quoted(request.url.path)} does not answer {quoted(request.method)}.",
            )
        elif error.status_code == 400:
            return Response(error_body("invalid_json", _NOT_JSON), 422, media_type="application/json")
        else:
            code, message = "http_error", f"The request was refused: {quoted(error.detail)}."
        body = error_body(code, message)
        return Response(body, error.status_code, headers=dict(error.headers or {}), media_type="application/json")

    async def invalid(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"][1:])
        message = f"{quoted(where)} does not fit: {first['msg'][:1].lower()}{first['msg'][1:]}."
        return Response(error_body("invalid_parameter", message), 422, media_type="application/json")

    app.add_exception_handler(ApiError, api_error)
    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(RequestValidationError, invalid)
