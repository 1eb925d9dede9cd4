"""Static pictures of maps: decoded by Pillow; sizes, limits, tags, texts, and that no text of the data is markup."""

from __future__ import annotations

import asyncio
import datetime as dt
import io
import json
import re
import subprocess
import sys
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest
from PIL import Image, ImageChops, ImageStat

from api.captions import caption, width_of
from api.i18n import Lang, messages
from api.maps import times
from api.maps.times import Time
from api.pictures import AT_ONCE, FONT_DIR, FONTS, KEPT, WAITING, Wanted, glyphs, picture_svg, scale_of
from api.settings import PROJECT, Settings
from api.state import State
from geo.bbox import BBox
from geo.errors import Unavailable
from layers.definition import Text
from layers.hours.calendar import ZONE
from layers.maps import MapDefinition, MapLayer

BOX = "-7.64,33.57,-7.59,33.61"
EVIL = "</text><script>alert(1)</script><image href='file:///etc/passwd'/>&lt;{{7*7}}\"'\x01\u2028]]>"


def picture(client: httpx.Client, map_id: str = "city", **query: Any) -> Image.Image:
    answer = client.get(f"/maps/{map_id}.png", params=query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/png"
    image = Image.open(io.BytesIO(answer.content))
    image.load()
    return image.convert("RGB")


@pytest.mark.parametrize("size", ["64x64", "800x500", "1200x630", "2000x2000", "64x2000", "2000x64"])
def test_it_has_the_size_that_is_asked_for(client: httpx.Client, size: str) -> None:
    image = picture(client, size=size)
    assert f"{image.width}x{image.height}" == size


def test_it_is_small_enough_for_cards_and_mail(client: httpx.Client) -> None:
    for size, most in (("640x336", 150_000), ("1200x630", 300_000), ("2000x2000", 900_000)):
        assert len(client.get(f"/maps/city.png?size={size}").content) < most


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("size=63x64", "size"), ("size=2001x64", "size"), ("size=64", "size"), ("size=1e3x100", "size"),
        ("size=٦٤x٦٤", "size"), ("size=-64x64", "size"), ("bbox=1,2,3", "bbox"), ("bbox=10,0,5,1", "bbox"),
        ("bbox=0,0,nan,1", "bbox"), ("layers=nothing", "layers"), ("title=maybe", "title"), ("pin=1", "pin"),
        ("pin=200,1", "pin"), ("lang=en", "lang"), ("time=2026", "time"),
    ],
)  # fmt: skip
def test_mistakes_are_named(client: httpx.Client, query: str, parameter: str) -> None:
    answer = client.get(f"/maps/city.png?{query}")
    assert answer.status_code == 400
    assert answer.json()["parameter"] == parameter


@pytest.mark.parametrize(
    "bbox", ["-180,-90,180,90", "0,0,0,0", "-7.6,33.5,-7.6,33.6", "-180,89,180,90", "170,60,180,70"]
)
def test_every_box_is_drawn(client: httpx.Client, bbox: str) -> None:
    assert picture(client, bbox=bbox, size="200x100").size == (200, 100)


def test_an_unknown_map_is_not_found(client: httpx.Client) -> None:
    assert client.get("/maps/nothing.png").status_code == 404


def test_what_is_the_same_is_not_sent_again(client: httpx.Client) -> None:
    address = f"/maps/city.png?bbox={BOX}&size=300x200&lang=fr"
    first, again = client.get(address), client.get(address)
    assert first.content == again.content
    tag = first.headers["etag"]
    assert "max-age" in first.headers["cache-control"]
    for sent in (tag, f"W/{tag}", "*", f'"other", {tag}'):
        answer = client.get(address, headers={"If-None-Match": sent})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)
    tags = {
        client.head(address + more).headers["etag"]
        for more in ("", "&title=false", "&layers=districts", "&pin=0,0", "&time=2026-08")
    }
    assert len(tags) == 5
    assert client.get(address.replace("fr", "ar")).headers["etag"] not in tags
    assert client.get(address, headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_picture_is_made_anew_once_the_data_have_changed(workshop: Any, serve: Any) -> None:
    workshop.ingest(workshop.csv("a,Une,واحدة,-7.6,33.58"))
    url = serve(workshop.url)
    address = f"{url}/maps/city.png?bbox=-7.62,33.56,-7.58,33.60&size=200x200"
    before = httpx.get(address)
    workshop.ingest(workshop.csv("a,Une,واحدة,-7.6,33.58", "b,Deux,اثنتان,-7.61,33.57"))
    for _ in range(100):
        after = httpx.get(address)
        if after.headers["etag"] != before.headers["etag"]:
            break
        asyncio.run(asyncio.sleep(0.1))
    assert after.headers["etag"] != before.headers["etag"]
    assert after.content != before.content


def test_features_stand_where_they_are_in_their_colours(client: httpx.Client) -> None:
    """A box in degrees is seen in Web Mercator; its middle is the picture's, where the layer's own colour is."""
    stop = client.get("/collections/facilities/items/gare-routiere-ctm-casablanca").json()
    lon, lat = stop["geometry"]["coordinates"]
    image = picture(
        client, bbox=f"{lon - 0.004},{lat - 0.004},{lon + 0.004},{lat + 0.004}", size="400x400", layers="facilities"
    )
    around = [image.getpixel((200 + dx, 200 + dy)) for dx in range(-7, 8) for dy in range(-7, 8)]
    assert (0x3C, 0x5A, 0x6B) in around
    without = picture(
        client, bbox=f"{lon - 0.004},{lat - 0.004},{lon + 0.004},{lat + 0.004}", size="400x400", layers="districts"
    )
    assert (0x3C, 0x5A, 0x6B) not in [
        without.getpixel((200 + dx, 200 + dy)) for dx in range(-7, 8) for dy in range(-7, 8)
    ]


def ink(image: Image.Image, box: tuple[int, int, int, int]) -> int:
    """Return how many pixels of a part are dark."""
    return sum(image.crop(box).convert("L").point(lambda value: 255 * (value < 110)).histogram()[255:])


@pytest.mark.parametrize(("lang", "left"), [("fr", True), ("ar", False)])
def test_title_credit_and_date_are_written_on_the_languages_side(client: httpx.Client, lang: str, left: bool) -> None:
    titled, bare = (
        picture(client, size="800x500", lang=lang, title=title, layers="districts", bbox="-7,20,-6.9,20.1")
        for title in ("true", "false")
    )
    box = ImageChops.difference(titled, bare).getbbox()
    assert box
    assert (box[0] < 100 and box[2] < 400) if left else (box[2] > 700 and box[0] > 400)
    assert ink(titled, (0, 0, 800, 60)) > 300
    strip = [ink(titled, part) for part in ((0, 475, 400, 500), (400, 475, 800, 500))]
    assert strip[0 if left else 1] > strip[1 if left else 0]


def test_arabic_letters_are_joined_and_none_is_missing() -> None:
    """Joined letters are narrower than letters alone, and what the font lacks leaves another trace."""
    fonts = [str(PROJECT / ".casamaps" / "web" / FONT_DIR / name) for name in FONTS]

    def drawn(text: str) -> Image.Image:
        svg = (
            '<svg xmlns="http://www.w3.org/2000/svg" width="400" height="80"><rect width="400" height="80" fill="#fff"/>'
            f'<text x="390" y="55" text-anchor="end" font-size="40" font-family="IBM Plex Sans Arabic">{text}</text></svg>'
        )
        made = subprocess.run(
            [sys.executable, "-m", "api.rasterise", *fonts], input=svg.encode(), capture_output=True, check=True,
            cwd=PROJECT,
        )  # fmt: skip
        return Image.open(io.BytesIO(made.stdout)).convert("L")

    whole = drawn("الدار البيضاء")
    box = ImageChops.invert(whole).getbbox()
    assert box
    joined = ImageChops.invert(drawn("بيت")).getbbox()
    apart = ImageChops.invert(drawn("ب ي ت")).getbbox()
    assert joined
    assert apart
    # Letters alone are wider than joined ones, by far more than the blanks between them.
    assert apart[2] - apart[0] > 1.6 * (joined[2] - joined[0])
    missing = ImageChops.invert(drawn("\u0b85\u0b85")).getbbox()
    assert missing != box


def test_texts_of_the_data_are_only_ever_text(workshop: Any) -> None:
    workshop.raw["geometry"]["type"] = "Polygon"
    workshop.raw["style"] = {"colour": "#112233", "symbol": "area", "label": True}
    workshop.raw["attribution"] = {"fr": EVIL.replace("\x01", ""), "ar": EVIL.replace("\x01", "")}
    path = workshop.folder / "plan.geojson"
    ring = [[-7.62, 33.56], [-7.58, 33.56], [-7.58, 33.60], [-7.62, 33.60], [-7.62, 33.56]]
    feature = {
        "type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": {"id": "a", "name_fr": EVIL, "name_ar": EVIL},
    }  # fmt: skip
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    assert workshop.ingest(path).rejected == []

    async def made() -> str:
        state = State(Settings(), workshop.url, PROJECT / ".casamaps" / "web", PROJECT / "data")
        await state.refresh()
        said = Text(fr=EVIL, ar=EVIL)
        definition = MapDefinition(id="evil", title=said, description=said, layers=(MapLayer(id="libraries"),))
        wanted = Wanted(BBox(-7.63, 33.55, -7.57, 33.61), 2000, 1200, "fr", ("libraries",))
        try:
            svg = await picture_svg(state, definition, wanted)
            png = await state.pictures.get(definition, wanted)
        finally:
            await state.database.close()
        assert Image.open(io.BytesIO(png)).size == (2000, 1200)
        return svg

    tree = ElementTree.fromstring(asyncio.run(made()))
    tags = {element.tag.rsplit("}", 1)[1] for element in tree.iter()}
    assert tags <= {"svg", "rect", "path", "g", "text", "circle"}
    # It is there as text: in the title, on the area twice (with its halo), and among the credits.
    texts = ["".join(element.itertext()) for element in tree.iter() if element.tag.endswith("text")]
    assert sum("<script>" in text for text in texts) == 4


def test_the_signs_are_those_of_the_browser() -> None:
    source = (PROJECT / "api" / "web" / "js" / "icons.js").read_text(encoding="utf-8")
    block = source[source.index("const PATHS = {") : source.index("};")]
    assert len(glyphs()) == block.count('": "') > 20
    assert all(re.fullmatch(r"[MmLlHhVvCcSsQqTtAaZz0-9 ,.\-]+", path) for path in glyphs().values())


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_shared_links_have_a_picture_from_our_public_address(serve: Any, database_url: str, lang: str) -> None:
    public = "https://maps.example.org/carte"
    url = serve(database_url, public_url=public)
    headers = {"Host": "maps.example.org", "Accept": "text/html"}
    for path, map_id in (
        ("/maps/health", "health"),
        ("/maps/health/list", None),
        ("/directory/gare-routiere-ctm-casablanca", "city"),
        ("/districts/06.141.01.01", "district-06.141.01.01"),
    ):
        text = httpx.get(f"{url}/carte{path}?lang={lang}", headers=headers).text
        meta = dict(re.findall(r'<meta (?:property|name)="([^"]+)" content="([^"]*)">', text))
        assert meta["og:title"]
        assert meta["og:locale"] == f"{lang}_MA"
        assert meta["og:url"].startswith(public)
        if map_id is None:
            continue
        image = meta["og:image"].replace("&amp;", "&")
        assert image.startswith(f"{public}/maps/{map_id}.png?lang={lang}")
        assert meta["twitter:card"] == "summary_large_image"
        got = httpx.get(image.replace("https://maps.example.org", url), headers={"Host": "maps.example.org"})
        assert Image.open(io.BytesIO(got.content)).size == (1200, 630)


def test_so_many_pictures_at_once_and_no_more(database_url: str) -> None:
    async def ask() -> tuple[list[bytes | BaseException], int]:
        state = State(Settings(), database_url, PROJECT / ".casamaps" / "web", PROJECT / "data")
        await state.refresh()
        pictures, running, most = state.pictures, 0, 0
        definition = state.catalogue.maps["city"]

        async def draw(*_: Any) -> bytes:
            nonlocal running, most
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.01)
            running -= 1
            return bytes(KEPT // 10)

        pictures._draw = draw  # type: ignore[method-assign]
        try:
            boxes = [Wanted(BBox(0, 0, 1, 1 + part), 64, 64, "fr", ("districts",)) for part in range(WAITING + 5)]
            found = await asyncio.gather(*(pictures.get(definition, item) for item in boxes), return_exceptions=True)
            assert sum(map(len, pictures.kept.values())) <= KEPT
        finally:
            await state.database.close()
        return list(found), most

    found, most = asyncio.run(ask())
    refused = [item for item in found if isinstance(item, BaseException)]
    assert most == AT_ONCE
    assert [error.code for error in refused if isinstance(error, Unavailable)] == ["picture.busy"] * 5
    assert len(refused) == 5


def test_works_are_those_of_the_time_that_is_asked_for(client: httpx.Client) -> None:
    """A map without a slider has works of all times, more than those of a day; on some days there are none."""
    query = {"bbox": "-7.7,33.5,-7.46,33.66", "size": "600x400", "layers": "worksites", "title": "false"}

    def drawn(map_id: str, **given: str) -> Image.Image:
        # What is told below differs as well.
        return picture(client, map_id, **query, **given).crop((0, 0, 600, 340))

    day, month, empty = (drawn("worksites", time=time) for time in ("2026-09-15", "2026-09", "2000-01-01"))
    always = drawn("city")
    assert ImageChops.difference(always, day).getbbox() is not None
    assert ImageChops.difference(month, day).getbbox() is not None
    counted = [ImageChops.difference(empty, other).convert("L").point(bool).histogram()[1] for other in (always, day)]
    assert counted[0] > counted[1] > 100


def test_fine_screens_get_the_same_picture_with_more_pixels(client: httpx.Client) -> None:
    usual = picture(client, bbox=BOX, size="400x280", lang="fr")
    for density in (2, 3):
        fine = picture(client, bbox=BOX, size="400x280", lang="fr", density=density)
        assert fine.size == (400 * density, 280 * density)
        difference = ImageChops.difference(fine.resize(usual.size, Image.Resampling.BOX), usual).convert("L")
        assert ImageStat.Stat(difference).mean[0] < 6
    for refused, size, allowed in (("4", "400x280", "1, 2, 3"), ("x", "400x280", "1, 2, 3"), ("2", "2000x2000", "1")):
        answer = client.get("/maps/city.png", params={"density": refused, "size": size, "f": "json"})
        assert answer.status_code == 400
        assert allowed in answer.text


def days(monkeypatch: pytest.MonkeyPatch, now: dt.datetime) -> None:
    """Let it be another time for who says what a picture of now is of."""

    class Clock(dt.datetime):
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> dt.datetime:  # type: ignore[override]
            return now.astimezone(tz)

    monkeypatch.setattr(times.dt, "datetime", Clock)


def test_a_map_with_a_slider_is_drawn_as_of_today_and_never_of_yesterday(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = "/maps/worksites.png?size=600x400&lang=fr"
    evening = dt.datetime(2026, 9, 14, 23, 58, 30, tzinfo=ZONE)
    with monkeypatch.context() as patch:
        days(patch, evening)
        one = client.get(address)
        named = client.get(f"{address}&time=2026-09-14")
    with monkeypatch.context() as patch:
        days(patch, evening + dt.timedelta(minutes=2))
        other = client.get(address, headers={"If-None-Match": one.headers["etag"]})
    assert one.content == named.content
    # It is kept until midnight and no longer; that of a named day as ever.
    assert one.headers["cache-control"] == "public, max-age=90"
    assert named.headers["cache-control"] == other.headers["cache-control"] == "public, max-age=300"
    assert other.status_code == 200
    assert other.headers["etag"] != one.headers["etag"]
    assert other.content != one.content
    # Maps without a slider go by their data alone.
    still = client.get("/maps/city.png?size=64x64")
    assert still.headers["cache-control"] == "public, max-age=300"


@pytest.mark.parametrize(
    ("lang", "day", "month"),
    [
        ("fr", "Situation au 1er septembre 2026", "Situation en septembre 2026"),
        ("ar", "الوضع يوم 1 شتنبر 2026", "الوضع خلال شتنبر 2026"),
    ],
)
def test_a_picture_says_which_time_it_shows(database_url: str, lang: Lang, day: str, month: str) -> None:
    async def made(time: Time | None) -> str:
        state = State(Settings(), database_url, PROJECT / ".casamaps" / "web", PROJECT / "data")
        await state.refresh()
        wanted = Wanted(BBox(-7.7, 33.5, -7.46, 33.66), 800, 500, lang, ("worksites",), time=time)
        try:
            return await picture_svg(state, state.catalogue.maps["worksites"], wanted)
        finally:
            await state.database.close()

    first = dt.date(2026, 9, 1)
    assert day in asyncio.run(made(Time(first)))
    assert month in asyncio.run(made(Time(first, month=True)))
    assert day.split()[0] not in asyncio.run(made(None))


@pytest.mark.parametrize("lang", ["fr", "ar"])
@pytest.mark.parametrize("size", [(300, 800), (200, 600), (800, 500), (1200, 630), (400, 280), (2000, 2000), (64, 64)])
def test_what_is_told_below_can_be_read_and_is_whole(size: tuple[int, int], lang: Lang) -> None:
    t = messages(lang)
    told = [
        Time(dt.date(2026, 11, 27)).stated(t), "", "© OpenStreetMap contributors",
        {"fr": "Haut-Commissariat au Plan (RGPH 2014 et 2024, CC BY 4.0)",
         "ar": "المندوبية السامية للتخطيط (إحصاء 2014 وإحصاء 2024، CC BY 4.0)"}[lang],
        t("map.picture-date", date=t.date(dt.date(2026, 11, 27))), t("map.picture-demo"),
    ]  # fmt: skip
    wanted = Wanted(BBox(0, 0, 1, 1), *size, lang, ())
    letters, lines = caption(told, *size, scale_of(wanted))
    assert max(width_of(line, letters) for line in lines) <= size[0]
    bare = " ".join(re.sub("[\u2066-\u2069]| · ", " ", line) for line in lines).split()
    assert bare == " ".join(told).split()
    assert (len(lines) * 1.5 + 0.25) * letters <= size[1] * 0.4 + 1
    if size[0] >= 200:
        assert letters >= 9
    if min(size) >= 500:
        assert len(lines) <= 2
    assert caption(["", ""], *size, 1) == (9, [])
