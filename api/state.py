"""What the routes share for the life of the application."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from api.assets import Assets
from api.i18n import LANGUAGES, messages
from api.pages import make_templates
from api.pictures import Pictures
from api.reports import Budget
from api.settings import Settings
from geo.errors import CasaMapsError, Unavailable
from layers.catalogue import Catalogue, load_catalogue, stamp
from layers.database import Database
from layers.directory import load_vocabulary
from layers.export import Slots
from layers.hours.calendar import load_calendar
from layers.hours.store import extend
from layers.migrate import newest_revision
from layers.places import DistrictLocator

log = logging.getLogger("casamaps")
#: Seconds between two looks at whether a layer has changed.
WATCH = 1.0
#: Seconds between two looks at whether the horizon of opening hours has to be rolled on, or hours have changed.
ROLL = 600.0


class State:
    """What the routes share for the life of the application."""

    def __init__(self, settings: Settings, database_url: str, web_dir: Path, data_dir: Path) -> None:
        self.settings = settings
        self.database = Database(
            database_url, statement_timeout=settings.statement_timeout, pool_size=settings.pool_size
        )
        self._database_url, self._data_dir = database_url, data_dir
        self.catalogue = Catalogue()
        self.locator = DistrictLocator(self.database)
        self.exports = Slots(settings.exports)
        self.reports = Budget()
        #: Pages made as files wait for each other, as their processes need more memory than time.
        self.page_files = asyncio.Semaphore(2)
        self.calendar = load_calendar(data_dir)
        self.vocabulary = load_vocabulary(data_dir)
        self.templates = make_templates()
        self.assets = Assets(web_dir, settings.base_path)
        self.web_dir = web_dir
        self.pictures = Pictures(self)
        self.revision = newest_revision()
        for lang in LANGUAGES:  # a broken catalogue shows at the start, not to a reader
            messages(lang)

    async def refresh(self) -> None:
        """Load the catalogue again if a layer has changed."""
        if await stamp(self.database) != self.catalogue.stamp:
            self.catalogue = await load_catalogue(self.database)

    async def watch(self) -> None:
        """Follow the catalogue; a database that is away for a while is only logged."""
        away = False
        while True:
            try:
                await self.refresh()
                away = False
            except Unavailable as error:
                if not away:
                    log.warning("the catalogue can't be read now: %s", error)
                away = True
            except Exception:  # the watch must outlive whatever a single look meets
                log.exception("the catalogue can't be read")
            await asyncio.sleep(WATCH)

    async def roll(self) -> None:
        """Keep the times at which places are open ahead of the clock; a failure is only logged.

        The pool is read-only, so this has a connection of its own, in a thread.
        """
        while True:
            try:
                await asyncio.to_thread(extend, self._database_url, self._data_dir)
            except CasaMapsError as error:
                log.warning("the opening hours can't be brought on: %s", error)
            except Exception:  # the next look may do better
                log.exception("the opening hours can't be brought on")
            await asyncio.sleep(ROLL)
