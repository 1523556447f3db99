"""The page that explains the API: Swagger UI from an installed package, so that it works without the internet.

Belongs here: the page and its files. Does not belong here: what it explains (``openapi.py``).
"""

from importlib.util import find_spec
from pathlib import Path

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

_FILES = "/docs/static"
_PARAMETERS = {
    "validatorUrl": None,
    "docExpansion": "list",
    "defaultModelsExpandDepth": 0,
    "defaultModelExpandDepth": 3,
    "displayRequestDuration": True,
    "tryItOutEnabled": True,
    "syntaxHighlight": {"theme": "obsidian"},
}
"""Without ``validatorUrl`` the page asks a validator on the internet about every document."""


def install(app: FastAPI) -> None:
    """Answer ``/docs``."""
    page = get_swagger_ui_html(
        openapi_url="/openapi.json",
        title=f"{app.title}: API",
        swagger_js_url=f"{_FILES}/swagger-ui-bundle.js",
        swagger_css_url=f"{_FILES}/swagger-ui.css",
        swagger_favicon_url=f"{_FILES}/favicon.png",
        swagger_ui_parameters=_PARAMETERS,
    ).body

    async def docs() -> HTMLResponse:
        return HTMLResponse(bytes(page))

    app.add_api_route("/docs", docs, include_in_schema=False)
    app.mount(_FILES, StaticFiles(directory=_files()), name="docs")


def _files() -> Path:
    """Where the package has the files; found without importing it."""
    spec = find_spec("fastapi_offline")
    if spec is None or spec.origin is None:
        raise RuntimeError(
            "fastapi-offline, which holds the files of /docs, is not installed: install the serving extra"
        )
    return Path(spec.origin).parent / "static"
