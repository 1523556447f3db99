"""The service as one ASGI app, and the command that runs it.

Belongs here: putting the parts together, start and stop. Does not belong here: what a part does.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from datetime import datetime

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from esports_assets.models.bundle import load_bundle
from serving import docs, errors, openapi
from serving.bundle_cache import store_of
from serving.bundles import DerivationOf, FingerprintOf, Load, Watcher
from serving.derivation import derivation_of as window_derivation
from serving.derivation import window_fingerprint
from serving.desk import Desk
from serving.intake import Intake
from serving.limits import RequestGuard
from serving.lineage import Lineage
from serving.match_reader import MatchReader
from serving.metrics import Metrics
from serving.parlour import Parlour
from serving.room_parts import Rooms
from serving.routes import (
    game_figures,
    games,
    health,
    matches,
    models,
    play_page,
    predict,
    promotion,
    reviews,
    sockets,
    webhook,
)
from serving.service import Service
from serving.settings import Settings, read

_DESCRIPTION = (
    "Calibrated predictions of the promoted models, each with its interval and its origin. "
    "Every answer is ANALYSIS_ONLY. Errors are one sentence: `{error: {code, message}}`. "
    "Two WebSockets stand beside these routes: `/ws/live/{match_id}` follows a match with the delay of its audience, "
    "`/ws/replay/{match_id}` plays one of the lake; docs/live_feed.md describes their messages."
)
_TAGS = [
    {"name": "prediction", "description": "Ask the model that serves a task."},
    {"name": "matches", "description": "Matches of the lake and win probability over them."},
    {
        "name": "promotion",
        "description": "The ledger of promotions; reporting needs the role operator, reading analyst.",
    },
    {"name": "models", "description": "Which models serve."},
    {
        "name": "games",
        "description": "Rock-paper-scissors against models and bots; the same routes stand below /api/v1/rps.",
    },
    {"name": "reviews", "description": "What a person must look at before it leaves; every route needs an account."},
    {"name": "ingest", "description": "Events into the log; every route needs the role operator."},
    {"name": "operation", "description": "Health, readiness, metrics, versions."},
]


def create_app(
    settings: Settings,
    *,
    fingerprint_of: FingerprintOf = window_fingerprint,
    derivation_of: DerivationOf = window_derivation,
    load: Load = load_bundle,
    clock: Callable[[], datetime] | None = None,
) -> FastAPI:
    """An app of its own; nothing is shared between two of them.

    It starts without any model (and says so on ``/readyz``), loads what the markers ask for, and follows them from then
    on. ``clock`` is what WebSockets go by instead of the clock of Redis.
    """
    metrics = Metrics()
    lineage = Lineage(settings.dagster_url)
    store = store_of(settings.bundles, settings.esports_home)
    watcher = Watcher(
        store,
        settings.tasks,
        load=load,
        fingerprint_of=fingerprint_of,
        derivation_of=derivation_of,
        metrics=metrics,
        announce=lineage.serves,
        retry_s=settings.retry_refused_s,
    )
    desk = Desk(settings, metrics.registry)
    intake = Intake(settings)
    service = Service(settings, watcher, metrics, MatchReader(settings.lake), lineage)
    rooms = Rooms(service, desk, clock)
    parlour = Parlour(settings, watcher.shelf, metrics, desk)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        lineage.start()
        await asyncio.to_thread(desk.start)
        intake.start()
        await asyncio.to_thread(watcher.poll)
        await asyncio.to_thread(parlour.start)
        following = [asyncio.create_task(one.run(settings.poll_interval_s)) for one in (watcher, parlour.families)]
        try:
            yield
        finally:
            lineage.stop()
            await rooms.close()
            await asyncio.to_thread(parlour.stop)
            await asyncio.to_thread(intake.stop)
            await asyncio.to_thread(desk.stop)
            for task in following:
                task.cancel()
            await asyncio.gather(*following, return_exceptions=True)

    app = FastAPI(
        title="esports serving",
        version=health.installed("esports-assets"),
        description=_DESCRIPTION,
        openapi_tags=_TAGS,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.include_router(predict.router(service, desk.access))
    for module in (matches, models):
        app.include_router(module.router(service))
    app.include_router(health.router(service, parlour))
    for played in (games, game_figures):
        app.include_router(played.router(parlour))
        app.include_router(played.router(parlour), prefix="/api/v1/rps", include_in_schema=False)
    app.include_router(play_page.router())
    app.include_router(promotion.router(parlour, desk.access))
    app.include_router(reviews.router(desk))
    app.include_router(sockets.router(rooms))
    app.include_router(webhook.router(intake, desk.access))
    errors.install(app)
    openapi.install(app, watcher)
    docs.install(app)

    def limit_of(path: str) -> int:
        large = path.endswith("/batch") or path == "/webhook/grid"
        return settings.max_batch_body_bytes if large else settings.max_body_bytes

    if settings.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.origins),
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["content-type", "authorization", "x-api-key"],
        )
    app.add_middleware(RequestGuard, metrics=metrics, limit_of=limit_of, body_timeout_s=settings.body_timeout_s)
    app.state.service = service
    app.state.desk = desk
    app.state.parlour = parlour
    return app


def main() -> None:
    """Serve until interrupted, with the settings of the environment."""
    import uvicorn

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    settings = read(Settings)
    uvicorn.run(
        create_app(settings),
        host=settings.api_host,
        port=settings.api_port,
        loop="uvloop",
        http="httptools",
        access_log=False,
        ws_max_size=65_536,
        ws_ping_interval=settings.room_idle_s,
        ws_ping_timeout=settings.room_stall_s,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=10,
        log_level="info",
    )


if __name__ == "__main__":
    main()
