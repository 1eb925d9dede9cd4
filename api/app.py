"""Builds the application; nothing happens at import, everything is owned by the application's lifespan."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES
from starlette.routing import Route
from starlette.types import ASGIApp

from api import errors
from api.compression import Compression
from api.hot import DENSE, Hot
from api.routes import (
    aggregate,
    assets,
    at,
    collections,
    dcat,
    directory,
    districts,
    export,
    items,
    landing,
    map_lists,
    maps,
    nearest,
    oembed,
    offline,
    reports,
    schemas,
    search,
    site,
    tiles,
    widgets,
)
from api.security import Front
from api.settings import PROJECT, Settings
from api.state import State
from geo.errors import CasaMapsError


class Service(FastAPI):
    """The framework, behind what every request passes first."""

    ahead: Callable[[ASGIApp], ASGIApp]

    def build_middleware_stack(self) -> ASGIApp:
        """Return the whole service; the framework's own layers take no time of those who are answered ahead of it."""
        return self.ahead(super().build_middleware_stack())


def create_app(
    settings: Settings, database_url: str, *, web_dir: Path | None = None, data_dir: Path = PROJECT / "data"
) -> FastAPI:
    """Build the service.

    Parameters
    ----------
    settings : Settings
    database_url : str
        libpq URL of the PostGIS database, migrated and loaded.
    web_dir : Path, optional
        Folder with ``node_modules`` of the browser code; by default the checkout's own.
    data_dir : Path
        The project's shipped data.
    """
    state = State(settings, database_url, web_dir or PROJECT / ".casamaps" / "web", data_dir)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        with suppress(CasaMapsError):  # the service starts all the same, and /readyz tells
            await state.refresh()
        tasks = [asyncio.create_task(work) for work in (state.watch(), state.roll(), maps.warm_up(state))]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await state.database.close()

    # Our own OpenAPI document lists every collection's concrete paths, so FastAPI's is off.
    app = Service(
        title="CasaMaps",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        # Addresses hold people's positions: they are told to nobody.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.router.redirect_slashes = False
    app.state = state  # type: ignore[assignment]
    errors.register(app)
    segments = set()
    for module in (
        landing,
        collections,
        dcat,
        schemas,
        at,
        aggregate,
        items,
        export,
        tiles,
        directory,
        districts,
        site,
        maps,
        map_lists,
        offline,
        oembed,
        reports,
        widgets,
        assets,
    ):
        app.include_router(module.router)
        segments |= {route.path.split("/")[1] for route in module.router.routes if isinstance(route, Route)}
    hot = (*items.HOT, *nearest.HOT, *search.HOT, *tiles.HOT)
    segments |= {path.split("/")[1] for path, _ in hot}
    app.add_middleware(
        Compression,
        minimum_size=1000,
        compresslevel=5,
        exclude_content_types=(*DEFAULT_EXCLUDED_CONTENT_TYPES, *DENSE),
    )
    # Answers a browser's question ahead of a request; that every page may read ours is said by Front.
    app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["GET", "HEAD"], allow_headers=["*"])
    app.ahead = lambda inner: Front(Hot(inner, hot), settings, frozenset(segments), errors.refuse_host)
    return app
