"""A map in one file: opened from the disk, without network, under the policy that it brings."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from playwright.sync_api import Page, expect

from api.bundle import bundle
from api.cli.commands import export_map
from api.cli.map_export import target_of
from api.i18n import Lang, messages
from api.maps.standalone import CONTROLS
from api.pages import data_block
from api.settings import PROJECT
from geo.errors import InvalidInput
from layers.hours.calendar import ZONE
from tests.e2e.layout import apart
from tests.e2e.steps import open_map

EVIL = "</script><img src=x onerror=\"canary.push('html')\">{{7*7}}\u2028`'\"--><!--<script>"


def command(database_url: str, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    given = {"CASAMAPS_DATABASE_URL": database_url, **settings}
    return subprocess.run(
        [sys.executable, "-m", "api.cli", "map", "export", *arguments],
        cwd=PROJECT, env={**os.environ, **given}, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def make(database_url: str, folder: Path, name: str, lang: Lang, **settings: str) -> Path:
    out = folder / f"{name}-{lang}.html"
    done = command(database_url, name, str(out), "--lang", lang, **settings)
    assert done.returncode == 0, done.stderr
    assert name in done.stderr
    return out


def answers_of(text: str) -> re.Match[str]:
    found = re.search(r'(?<=id="casamaps-answers">)(.*?)(?=</script>)', text, re.DOTALL)
    assert found
    return found


def offline(new_page: Callable[..., Page], file: Path, **options: Any) -> Page:
    page = new_page(base_url="file:///", offline=True, **options)
    page.goto(file.as_uri())
    expect(page.locator(".map[data-started]")).to_be_visible()
    expect(page.locator('[data-layer]:has(input:checked):not([data-state="ready"])')).to_have_count(0)
    return page


@pytest.mark.parametrize(("lang", "title"), [("fr", "Mosquée Hassan II"), ("ar", "مسجد الحسن الثاني")])
def test_a_map_in_a_file_shows_its_features_and_cards_without_network(
    new_page: Callable[..., Page], database_url: str, tmp_path: Path, lang: Lang, title: str
) -> None:
    file = make(database_url, tmp_path, "city", lang)
    page = offline(new_page, file)
    expect(page.locator("html")).to_have_attribute("lang", lang)
    assert page.locator("[data-layer]").count() == 5
    assert page.locator(".cluster").count() > 5
    assert page.locator(".tools button").evaluate_all("all => all.map(one => one.dataset.tool)") == [
        "measure",
        "fullscreen",
        "print",
    ]
    page.evaluate("() => { location.hash = 'map=16/33.60847/-7.63134'; }")
    page.locator('[data-feature="facilities/mosquee-hassan-ii"]').click()
    card = page.get_by_role("dialog")
    expect(card).to_have_accessible_name(title)
    expect(card).to_contain_text("OpenStreetMap")
    page.keyboard.press("Escape")
    page.locator("[data-tool=measure]").click()
    expect(page.get_by_role("button", name=messages(lang)("map.measure.add"))).to_be_focused()


@pytest.mark.parametrize("lang", ["fr", "ar"])
@pytest.mark.parametrize("size", [(390, 844), (360, 640)])
def test_on_a_phone_the_file_is_as_the_site(
    new_page: Callable[..., Page], database_url: str, tmp_path: Path, lang: Lang, size: tuple[int, int]
) -> None:
    screen = {"viewport": {"width": size[0], "height": size[1]}, "has_touch": True, "reduced_motion": "reduce"}
    site = new_page(**screen)
    open_map(site, "/maps/city", f"lang={lang}")
    # Below heads of different heights both begin alike.
    widest = "() => document.querySelector('[data-feature^=districts]').getBoundingClientRect().width"
    as_there = site.evaluate(widest)
    file = make(database_url, tmp_path, "city", lang)
    page = offline(new_page, file, **screen)
    assert page.evaluate(widest) == pytest.approx(as_there, rel=0.12)
    expect(page.locator(".leaflet-control-scale-line")).to_be_visible()
    expect(page.locator(".map-alert.demo")).to_be_visible()
    apart(page, least=6)
    over = max(
        box["y"] + box["height"] for part in (".panel", ".map-alert.demo") if (box := page.locator(part).bounding_box())
    )
    shown = page.locator("[data-feature^=districts]").evaluate_all(
        "all => all.map(one => one.getBoundingClientRect()).map(({ left, right, top, bottom }) => [left, right, top, bottom])"
    )
    assert min(box[0] for box in shown) >= -1
    assert max(box[1] for box in shown) <= size[0] + 1
    assert min(box[2] for box in shown) >= over
    # What is in view is told, and told anew when that changes.
    status = page.locator("#map-status")
    expect(status).to_contain_text(re.compile(r"\d"))
    before = status.text_content()
    page.evaluate("() => { location.hash = 'map=16/33.60847/-7.63134'; }")
    expect(status).not_to_have_text(before or "")
    mark = page.locator('[data-feature="facilities/mosquee-hassan-ii"]')
    mark.focus()
    page.keyboard.press("Enter")
    card = page.get_by_role("dialog")
    expect(card).to_be_visible()
    expect(page).to_have_url(re.compile("#map=16/.*&select=facilities/mosquee-hassan-ii"))
    page.keyboard.press("Escape")
    expect(card).to_be_hidden()
    expect(mark).to_be_focused()
    expect(page).not_to_have_url(re.compile("select="))
    page.goto("about:blank")
    page.goto(f"{file.as_uri()}#map=16/33.60847/-7.63134&select=facilities/mosquee-hassan-ii")
    expect(card).to_be_visible()
    expect(page).to_have_url(re.compile("#map=16/33.6"))


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_on_a_phone_the_files_head_is_one_block(
    new_page: Callable[..., Page], database_url: str, tmp_path: Path, lang: Lang
) -> None:
    file = make(database_url, tmp_path, "worksites", lang)
    for width in (390, 320):
        page = offline(new_page, file, viewport={"width": width, "height": 844})
        title, made = (page.locator(f".standalone-{part}").bounding_box() for part in ("title", "made"))
        head = page.locator("header.site").bounding_box()
        assert title
        assert made
        assert head
        # One above the other, from one edge, with room above as below.
        edges = [box["x"] if lang == "fr" else width - box["x"] - box["width"] for box in (title, made)]
        assert edges == [12, 12]
        assert title["y"] + title["height"] <= made["y"]
        above, below = title["y"], head["height"] - made["y"] - made["height"]
        assert above >= 6
        assert abs(above - below) <= 2


def test_every_feature_has_its_card_in_the_file(database_url: str, tmp_path: Path) -> None:
    text = make(database_url, tmp_path, "health", "fr").read_text(encoding="utf-8")
    answers = json.loads(answers_of(text)[0])
    features = [item["id"] for body in answers.values() for item in body.get("features", [])]
    cards = [body for address, body in answers.items() if "/card?" in address]
    assert len(features) == len(cards) > 50
    assert {body["id"] for body in cards} == set(features)
    # Without a public address nothing leads to this machine's, where the file's readers find nothing.
    assert "127.0.0.1" not in text
    assert all([item["rel"] for item in body["links"]] == ["directions"] for body in cards)
    assert any(row.get("href", "").startswith("tel:") for body in cards for row in body["rows"])
    # Whoever opens the file later has another moment.
    labels = {row["label"] for body in cards for row in body["rows"]}
    assert messages("fr")("cards.now.label") not in labels
    assert "Horaires d'ouverture" in labels


def test_the_policy_names_what_runs_by_its_hash_and_nothing_else(database_url: str, tmp_path: Path) -> None:
    text = make(database_url, tmp_path, "worksites", "ar").read_text(encoding="utf-8")
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', text)
    assert policy
    rules = dict(part.strip().split(" ", 1) for part in policy[1].replace("&#39;", "'").split(";"))
    runs = [body for kind, body in re.findall(r"<script( type=[^>]+)?>(.*?)</script>", text, re.DOTALL) if not kind]
    assert len(runs) == 2

    def hashed(body: str) -> str:
        return "'sha256-" + base64.b64encode(hashlib.sha256(body.encode()).digest()).decode() + "'"

    assert rules["script-src"].split() == [hashed(body) for body in runs]
    assert rules["style-src"].split() == [hashed(body) for body in re.findall(r"<style>(.*?)</style>", text, re.DOTALL)]
    assert rules["default-src"] == "'none'"
    assert "connect-src" not in rules
    assert not re.search(r"<(?:link|img|iframe|script)[^>]+(?:src|href)=", text)


def test_texts_of_the_data_stay_texts_in_the_file(
    new_page: Callable[..., Page], database_url: str, tmp_path: Path
) -> None:
    def poison(value: object, key: str = "") -> object:
        if isinstance(value, dict):
            return {
                name: part if name in ("id", "href", "geometry") else poison(part, name) for name, part in value.items()
            }
        if isinstance(value, list):
            return [poison(part, key) for part in value]
        named = key in ("name_fr", "name_ar", "title", "value", "text", "label", "source")
        return value + EVIL if isinstance(value, str) and named else value

    file = make(database_url, tmp_path, "transport", "fr")
    text = file.read_text(encoding="utf-8")
    block = answers_of(text)
    file.write_text(
        text[: block.start()] + str(data_block(poison(json.loads(block[0])))) + text[block.end() :], encoding="utf-8"
    )
    page = offline(new_page, file)
    assert "<img" in (page.locator('[data-feature="transport-lines/T1"]').get_attribute("aria-label") or "")
    page.locator('[data-feature="transport-lines/T1"]').focus()
    page.keyboard.press("Enter")
    expect(page.locator("#card-title")).to_contain_text("{{7*7}}")
    assert page.locator("main img, main script").count() == 0


def test_the_help_says_what_is_left_out_and_nothing_else() -> None:
    said = " ".join((export_map.help or "").split())
    left_out = re.search(r"What needs the service \((.*?)\) is left out", said)
    assert left_out
    assert left_out[1] == "search, near me, links to share"
    assert not CONTROLS & {"locate", "share"}
    assert "time" in CONTROLS


@pytest.mark.parametrize(("lang", "said"), [("fr", "août 2026"), ("ar", "غشت 2026")])
def test_time_is_gone_through_without_network(
    new_page: Callable[..., Page], database_url: str, client: Any, tmp_path: Path, lang: Lang, said: str
) -> None:
    def works(when: str) -> set[str]:
        found = client.get("/collections/worksites/items", params={"datetime": when, "limit": 500}).json()["features"]
        return {feature["id"] for feature in found}

    def drawn() -> set[str]:
        marks = page.locator("[data-feature^=worksites]")
        return set(marks.evaluate_all("all => all.map(one => one.dataset.feature.split('/')[1])"))

    page = offline(new_page, make(database_url, tmp_path, "worksites", lang))
    slider = page.get_by_role("slider")
    today = dt.datetime.now(ZONE).date()
    expect(slider).to_have_attribute("aria-valuetext", re.compile(rf"{today.day}\b.*{today.year}"))
    assert drawn() == works(today.isoformat())
    page.locator(".time-bar select").select_option("month")
    first = dt.date.fromisoformat(
        client.get("/collections/worksites?f=json").json()["extent"]["temporal"]["interval"][0][0][:10]
    )
    slider.focus()
    page.keyboard.press("Home")
    for _ in range((2026 - first.year) * 12 + 8 - first.month):
        page.keyboard.press("ArrowUp")
    expect(slider).to_have_attribute("aria-valuetext", said)
    expect(page).to_have_url(re.compile("time=2026-08(&|$)"))
    expected = works("2026-08-01/2026-08-31")
    expect(page.locator("[data-layer=worksites] label .count")).to_have_text(str(len(expected)))
    assert drawn() == expected != works(today.isoformat())


def test_behind_a_prefix_links_lead_to_the_service(
    new_page: Callable[..., Page], database_url: str, tmp_path: Path
) -> None:
    file = make(database_url, tmp_path, "transport", "fr", CASAMAPS_PUBLIC_URL="https://maps.example.org/carte")
    page = offline(new_page, file)
    page.locator('[data-feature="transport-lines/T1"]').focus()
    page.keyboard.press("Enter")
    own = page.locator(".card-page a")
    expect(own).to_have_attribute("href", re.compile("^https://maps.example.org/carte/"))


def test_mistakes_are_said_and_nothing_is_written(database_url: str, tmp_path: Path) -> None:
    unknown = command(database_url, "nowhere", str(tmp_path / "map.html"))
    assert unknown.returncode == 1
    assert 'There is no map "nowhere".' in unknown.stderr
    assert "worksites" in unknown.stderr
    assert list(tmp_path.iterdir()) == []
    there = tmp_path / "there.html"
    there.write_text("kept", encoding="utf-8")
    exists = command(database_url, "city", str(there))
    assert exists.returncode == 1
    assert "--overwrite" in exists.stderr
    assert there.read_text(encoding="utf-8") == "kept"
    assert target_of(there, overwrite=True) == there
    for name, code in (("map.txt", "export.map-ending"), ("no/map.html", "export.folder")):
        with pytest.raises(InvalidInput) as caught:
            target_of(tmp_path / name)
        assert caught.value.code == code


def test_the_command_says_what_it_takes() -> None:
    from api.cli.commands import cli

    said = CliRunner().invoke(cli, ["map", "export", "--help"])
    assert said.exit_code == 0
    assert "--overwrite" in said.output
    assert "--lang [fr|ar]" in said.output


def test_modules_are_joined_in_the_order_of_their_imports() -> None:
    sources = {
        "main": 'import { b } from "./b.js";\nimport { a } from "./a.js";\nconsole.log(a, b());\n',
        "a": "export const a = 1;\n",
        "b": 'import { a } from "./a.js";\nexport function b() { return a; }\n',
    }
    joined = bundle(sources, "main")
    assert joined.index('modules["a"]') < joined.index('modules["b"]') < joined.index('modules["main"]')
    assert "import " not in joined
    assert "export " not in joined
    with pytest.raises(ValueError, match=r"b.js: export default"):
        bundle({"b": "export default 1;\n"}, "b")
    with pytest.raises(ValueError, match="main -> b -> main"):
        bundle({"main": sources["main"], "b": 'import { x } from "./main.js";\n'}, "main")
