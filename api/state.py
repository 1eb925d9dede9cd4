"""What the routes share for the life of the application."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from api.assets import Assets
from api.i18n import LANGUAGES, messages
from api.pages import make_templates
from api.settings import Settings
from geo.errors import Unavailable
from layers.catalogue import Catalogue, load_catalogue, stamp
from layers.database import Database
from layers.directory import load_vocabulary
from layers.export import Slots
from layers.migrate import newest_revision
from layers.places import DistrictLocator

log = logging.getLogger("casamaps")
#: Seconds between two looks at whether a layer has changed.
WATCH = 1.0


class State:
    """What the routes share for the life of the application."""

    def __init__(self, settings: Settings, database_url: str, web_dir: Path, data_dir: Path) -> None:
        self.settings = settings
        self.database = Database(
            database_url, statement_timeout=settings.statement_timeout, pool_size=settings.pool_size
        )
        self.catalogue = Catalogue()
        self.locator = DistrictLocator(self.database)
        self.exports = Slots(settings.exports)
        #: Pages made as files wait for each other, as their processes need more memory than time.
        self.page_files = asyncio.Semaphore(2)
        self.vocabulary = load_vocabulary(data_dir)
        self.templates = make_templates()
        self.assets = Assets(web_dir, settings.base_path)
        self.web_dir = web_dir
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
