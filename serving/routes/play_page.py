"""The page to play on: one HTML file, and its assets under addresses that hold their hash, so that browsers keep them for ever.

Does not belong here: what the page asks (``games.py``, ``game_figures.py``).
"""

import hashlib
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from starlette.exceptions import HTTPException

_FILES = Path(__file__).resolve().parents[1] / "static"
_KINDS = {"play.css": "text/css; charset=utf-8", "play.js": "text/javascript; charset=utf-8"}
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src data:; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}


def router() -> APIRouter:
    """The page and its assets."""
    routes = APIRouter(include_in_schema=False)
    assets = {name: (_FILES / name).read_bytes() for name in _KINDS}
    versions = {name: hashlib.sha256(data).hexdigest()[:16] for name, data in assets.items()}
    page = (_FILES / "play.html").read_text(encoding="utf-8")
    for name, version in versions.items():
        page = page.replace(f"{{{name}}}", f"/play/assets/{version}/{name}")

    @routes.get("/play")
    async def play() -> Response:
        return HTMLResponse(page, headers={**_HEADERS, "Cache-Control": "no-cache"})

    @routes.get("/play/assets/{version}/{name}")
    async def asset(version: str, name: str) -> Response:
        if versions.get(name) != version:
            raise HTTPException(404)
        return Response(assets[name], headers={**_HEADERS, **_FOR_EVER}, media_type=_KINDS[name])

    return routes
