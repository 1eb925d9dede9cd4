"""``./casamaps map export``: writes a map to one file that opens without network."""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

from rich import filesize

from api import cards
from api.cli.assets import WEB
from api.cli.console import bars, done
from api.cli.database import cluster_version, open_database
from api.cli.signals import run_until_stopped
from api.downloads import whole_result
from api.i18n import Lang, messages
from api.links import Links
from api.maps.description import MapDescription, describe
from api.maps.standalone import at_hand, standalone
from api.negotiation import Reader
from api.routes.collections import span_of
from api.routes.maps import find_map
from api.settings import PROJECT, Settings
from api.state import State
from geo.errors import InvalidInput, NotFound, SetupError, Unavailable
from layers.catalogue import revision
from layers.database import Database
from layers.export import blocks
from layers.migrate import newest_revision

#: Features that one file may hold: beyond it no browser opens it with pleasure.
MOST = 20_000
#: Seconds that reading a layer may take.
_PATIENCE = 600
#: Told of progress: what, how many, of how many.
Told = Callable[[str, int, int | None], None]


def target_of(out: Path, *, overwrite: bool = False) -> Path:
    """Find out where a map goes, and make sure that it can.

    Raises
    ------
    InvalidInput
        ``export.…``, saying what is wrong with the place.
    """
    path = (Path(os.environ.get("CASAMAPS_CWD", ".")) / out).resolve()
    if path.suffix.lower() not in (".html", ".htm"):
        raise InvalidInput("export.map-ending", file=out)
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK | os.X_OK):
        raise InvalidInput("export.folder", path=path.parent)
    if path.exists() and not path.is_file():
        raise InvalidInput("export.no-file", file=out)
    if path.exists() and not overwrite:
        raise InvalidInput("export.map-exists", file=out)
    return path


def export_map(settings: Settings, map_id: str, out: Path, *, lang: Lang, overwrite: bool) -> None:
    """Write a map to one file.

    Raises
    ------
    CasaMapsError
        Saying what is wrong with the map's name or the place, and what is allowed.
    """
    path = target_of(out, overwrite=overwrite)
    if not settings.database_url and cluster_version(settings) is None:
        raise SetupError("export.no-data")
    with open_database(settings, f"map export {map_id}", share=True) as url, bars() as shown:
        text, count = run_until_stopped(_made(settings, url, map_id, lang, shown))
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise SetupError("export.room", path=path.parent, reason=error.strerror or str(error)) from error
    done("map_exported", map=map_id, count=count, file=out, size=filesize.decimal(path.stat().st_size))


async def _made(settings: Settings, url: str, map_id: str, lang: Lang, told: Told) -> tuple[str, int]:
    state = State(settings, url, WEB, PROJECT / "data")
    try:
        if not await _current(state.database):
            raise SetupError("export.no-data")
        await state.refresh()
        definition = _known(state, map_id)
        described = describe(definition, lang, state.catalogue.layers(), settings, state.catalogue.district_extents)
        described = at_hand(described)
        answers, count = await gather(state, described, told)
        day = messages(lang).date(dt.datetime.now(settings.zone).date())
        return standalone(described, answers, state.assets, state.templates, day), count
    finally:
        await state.database.close()


async def _current(database: Database) -> bool:
    try:
        return await revision(database) == newest_revision()
    except Unavailable as error:
        raise SetupError("export.no-data", log=error.log) from error


def _known(state: State, map_id: str) -> Any:
    try:
        return find_map(state.catalogue, map_id)
    except NotFound as error:
        raise InvalidInput("export.map-unknown", value=map_id[:60], allowed=error.params["allowed"]) from error


def _without_own(card: cards.Card, links: Links) -> cards.Card:
    """Return a card without links to this service, which whoever opens the file elsewhere can't reach."""
    own = links.url()
    rows = []
    for row in card["rows"]:
        kept = cast(cards.Row, {name: value for name, value in row.items() if name != "href"})
        if not row.get("href", own).startswith(own):
            kept["href"] = row["href"]
        if "values" in row:
            kept["values"] = [
                {name: text for name, text in item.items() if name != "href" or not text.startswith(own)}
                for item in row["values"]
            ]
        rows.append(kept)
    return {**card, "rows": rows, "links": [item for item in card["links"] if not item["href"].startswith(own)]}


async def gather(state: State, described: MapDescription, told: Told) -> tuple[dict[str, Any], int]:
    """Return what the service would answer to the map's browser, by address, and how many features it shows.

    Raises
    ------
    InvalidInput
        ``export.map-large``, when there are more features than :data:`MOST`.
    """
    reader = Reader(described.lang, messages(described.lang))
    links = Links(state.settings.base_url)
    answers: dict[str, Any] = {}
    count = 0
    for layer in described.layers:
        published = state.catalogue.layer(layer["id"])
        given = {"filter": layer["filter"]} if layer["filter"] else {}
        written, values = whole_result(published, "json", given, state.settings.zone, state.catalogue.districts)
        features = blocks(state.database, published, written.shape, values, written.lines, _PATIENCE)
        async with aclosing(written.text(reader, links, features)) as chunks:
            body = json.loads(b"".join([chunk async for chunk in chunks]))
        count += len(body["features"])
        if count > MOST:
            raise InvalidInput("export.map-large", allowed=MOST)
        answers[layer["items"]] = {"type": "FeatureCollection", "features": body["features"], "links": []}
        if temporal := published.definition.temporal:
            # The file has what there is at all times, and which fields say when.
            answers[layer["items"]]["temporal"] = [temporal.start, temporal.end]
            address = layer["feature"].removesuffix("/items")
            answers[f"{address}?f=json"] = {"extent": {"temporal": {"interval": [span_of(published)]}}}
        asked = layer["card"].split(",") if layer["card"] else None
        for number, feature in enumerate(body["features"], 1):
            card = await cards.feature_card(state, published, feature["id"], reader, links, asked, lasting=True)
            if not state.settings.public_url:
                card = _without_own(card, links)
            tail = f"&properties={layer['card']}" if layer["card"] is not None else ""
            # As the browser writes it.
            key = quote(str(feature["id"]), safe="!'()*-._~")
            answers[f"{layer['feature']}/{key}/card?lang={described.lang}{tail}"] = card
            told(layer["title"], number, len(body["features"]))
    return answers, count
