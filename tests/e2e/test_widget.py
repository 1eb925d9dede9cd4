"""The widget in pages of other origins: what they may do with a map, and what they get when they may not have one."""

from __future__ import annotations

import base64
import gzip
import hashlib
import logging
import re
import time
from collections.abc import Callable
from html import escape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from api.settings import PROJECT
from tests.e2e.axe import problems
from tests.e2e.embedding import CALLS, WORKS, call, drawn, events, inner, ready, reveal, wait, works
from tests.portal import Portal

SANDBOX = "allow-scripts allow-same-origin allow-popups"
ANFA = "06.141.01.01"
WHOLE_ANFA = f"district-{ANFA}"
#: Each part would run somewhere: as HTML, in a template literal, as the end of an attribute or of a script.
EVIL = "\"'><img src=x onerror=canary.push('html')>${canary.push('literal')}{{7*7}}</script><svg onload=canary.push(1)>"


def test_an_allowed_page_shows_the_map_and_hears_of_it(show: Callable[..., Page], service: str) -> None:
    page = show()
    ready(page)
    frame = page.locator("casa-map iframe")
    expect(frame).to_have_attribute("sandbox", SANDBOX)
    expect(frame).to_have_attribute("title", re.compile("Chantiers"))
    (told,) = events(page, "ready")
    assert (told["map"], told["lang"]) == ("worksites", "fr")
    assert "worksites" in told["layers"]
    west, south, east, north = told["view"]["bbox"]
    assert west < told["view"]["lon"] < east
    assert south < told["view"]["lat"] < north
    expect(inner(page).locator("header.site, footer.site")).to_have_count(0)
    assert page.locator("casa-map .said").is_hidden()
    assert page.context.cookies([service]) == []
    assert page.context.cookies() == []


def test_a_refused_page_gets_a_message_and_the_log_a_line(
    show: Callable[..., Page], service: str, portal: Portal, caplog: pytest.LogCaptureFixture
) -> None:
    said: list[str] = []
    with caplog.at_level(logging.WARNING, "casamaps"):
        page = show('map="worksites" lang="ar"', host="127.0.0.1")
        page.on("console", lambda message: said.append(message.text))
        message = page.locator("casa-map .said")
        expect(message).to_contain_text("يتعذر عرض الخريطة هنا")
        link = message.get_by_role("link")
        expect(link).to_have_attribute("href", f"{service}/maps/worksites?lang=ar")
        expect(link).to_have_attribute("rel", "noopener")
        assert message.evaluate("node => node.dir") == "rtl"
        deadline = time.monotonic() + 10
        while not (lines := [text for text in caplog.messages if "policy report" in text]):
            assert time.monotonic() < deadline, "no report reached the log"
            page.wait_for_timeout(100)
    assert lines[0] == f"policy report: frame-ancestors kept out {portal.url('127.0.0.1', '')} on /embed/worksites"
    assert events(page, "ready") == []


def test_the_console_says_why_a_page_is_refused(show: Callable[..., Page], browser: Browser, portal: Portal) -> None:
    show().close()
    page = browser.new_page()
    with page.expect_console_message(lambda message: "frame-ancestors" in message.text):
        page.goto(portal.url("127.0.0.1"))
    page.close()


def test_a_page_of_the_services_own_origin_is_refused_with_the_reason(browser: Browser, service: str) -> None:
    page = browser.new_page()
    body = '<!doctype html><script src="/widget.js" defer></script><casa-map map="city" lang="fr"></casa-map>'
    page.route("**/portal", lambda route: route.fulfill(body=body, content_type="text/html"))
    page.goto(f"{service}/portal")
    expect(page.locator("casa-map .said")).to_contain_text("même adresse")
    expect(page.locator("casa-map iframe")).to_have_count(0)
    page.close()


def test_a_selection_opens_the_card_and_is_told(show: Callable[..., Page]) -> None:
    page = show()
    page.evaluate(CALLS)
    assert call(page, "select") == ""
    card = inner(page).get_by_role("dialog")
    expect(card).to_be_visible()
    (told,) = events(page, "select")
    assert (told["layer"], told["id"]) == ("worksites", WORKS)
    expect(card).to_contain_text(told["name"])
    assert page.evaluate("document.activeElement === document.body"), "the page keeps its focus"
    assert call(page, "close") == ""
    expect(card).to_be_hidden()
    assert events(page, "select")[-1] == {"layer": None, "id": None, "name": None}
    mark = inner(page).locator(f"[data-feature='worksites/{WORKS}']")
    mark.focus()
    page.keyboard.press("Enter")
    expect(card).to_be_visible()
    assert events(page, "select")[-1]["id"] == WORKS


def test_calls_move_and_filter_the_map_and_say_what_is_wrong(show: Callable[..., Page], service: str) -> None:
    page = show()
    page.evaluate(CALLS)
    assert call(page, "flyTo") == ""
    wait(page, "heard.some(([kind, detail]) => kind === 'view' && detail.zoom === 15)")
    view = events(page, "view")[-1]
    assert (view["lat"], view["lon"]) == (pytest.approx(33.5931, abs=1e-3), pytest.approx(-7.6192, abs=1e-3))
    everything, suspended = works(service), works(service, "state = 'suspended'")
    assert drawn(page) == everything > suspended
    assert call(page, "suspended") == ""
    expect(inner(page).locator("[data-layer=worksites]")).to_have_attribute("data-state", "ready")
    assert drawn(page) == suspended
    for name, part in {
        "nowhere": "latitude", "tooClose": "de 8 à 19", "tooFar": "de 8 à 19", "number": "texte", "unknownLayer": "trees", "unknownFeature": "none",
        "layerThatIsOff": "none",
        "unfit": "height", "broken": "cql2-text",
    }.items():  # fmt: skip
        assert part in call(page, name), name
    assert drawn(page) == suspended, "what is refused changes nothing"
    assert events(page, "view")[-1]["zoom"] == 15
    expect(inner(page).locator("[data-layer=transport-stops] input")).not_to_be_checked()
    assert call(page, "all") == ""
    expect(inner(page).locator("[data-layer=worksites]")).to_have_attribute("data-state", "ready")
    assert drawn(page) == everything


def test_attributes_say_what_the_map_begins_with_and_change_it(show: Callable[..., Page], service: str) -> None:
    page = show(
        f"""map="worksites" lang="fr" district="{ANFA}" filter="state &lt;> 'suspended'" theme="dark" colour="#7a3e9d" height="430" """
    )
    ready(page)
    inside = works(service, f"district_code = '{ANFA}'")
    assert drawn(page) == inside & works(service, "state <> 'suspended'") != works(service)
    style = inner(page).locator("html")
    look = "node => ['--paper', '--accent'].map(name => getComputedStyle(node).getPropertyValue(name).trim())"
    paper, accent = style.evaluate(look)
    assert paper == "#161c20"
    assert accent not in ("#7a3e9d", "#7fd0d3"), "lighter than the portal's, to be readable on dark"
    assert page.locator("casa-map").bounding_box()["height"] == pytest.approx(430, abs=2)  # type: ignore[index]
    page.evaluate("document.querySelector('casa-map').setAttribute('filter', \"state = 'suspended'\")")
    expect(inner(page).locator("[data-layer=worksites]")).to_have_attribute("data-state", "ready")
    expected = inside & works(service, "state = 'suspended'")
    page.wait_for_timeout(500)
    assert drawn(page) == expected
    page.evaluate("document.querySelector('casa-map').setAttribute('layers', 'districts')")
    expect(inner(page).locator("[data-layer=worksites] input")).not_to_be_checked()
    page.evaluate("document.querySelector('casa-map').setAttribute('lang', 'ar')")
    wait(page, "heard.filter(([kind]) => kind === 'ready').length === 2")
    expect(style).to_have_attribute("dir", "rtl")
    page.evaluate("document.querySelector('casa-map').setAttribute('view', '16/33.6/-7.63')")
    wait(page, "heard.some(([kind, detail]) => kind === 'view' && detail.zoom === 16)")


def test_a_filter_that_fits_no_layer_is_said_in_place(show: Callable[..., Page]) -> None:
    page = show('map="worksites" lang="fr" filter="height > 3"')
    expect(page.locator("casa-map .said")).to_contain_text("height")
    assert page.evaluate("() => customElements.get('casa-map').version") == "1.2.0"


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_a_map_that_there_is_not_is_said_in_place_and_in_the_console(
    show: Callable[..., Page], service: str, lang: str
) -> None:
    page = show(f'map="wroksites" lang="{lang}" hidden')
    page.evaluate(CALLS)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    reveal(page)
    message = page.locator("casa-map .said")
    expect(message).to_contain_text("wroksites")
    expect(message).to_contain_text({"fr": "n'existe pas", "ar": "غير موجودة"}[lang])
    expect(message).to_contain_text("worksites")
    # No other try would help; the maps that there are do.
    expect(message.get_by_role("button")).to_have_count(0)
    link = message.get_by_role("link", name={"fr": "Voir toutes les cartes", "ar": "عرض كل الخرائط"}[lang])
    expect(link).to_have_attribute("href", f"{service}/maps?lang={lang}&f=html")
    assert any(text.startswith("<casa-map>") and "wroksites" in text for text in said)
    assert "wroksites" in call(page, "close")


def test_the_way_to_the_map_keeps_its_district(show: Callable[..., Page], service: str, browser: Browser) -> None:
    page = show(f'map="worksites" lang="fr" district="{ANFA}" layers="worksites"', host="127.0.0.1")
    address = page.locator("casa-map .said").get_by_role("link").get_attribute("href")
    assert address == f"{service}/maps/worksites?lang=fr&district={ANFA}&layers=worksites"
    whole = browser.new_page()
    whole.goto(address)
    expect(whole.locator(".map[data-started]")).to_be_visible()
    whole.locator(".map").press("+")
    whole.wait_for_url(re.compile("#map="))
    zoom, lat, lon = (
        float(part) for part in urlsplit(whole.url).fragment.split("&")[0].removeprefix("map=").split("/")
    )
    west, south, east, north = httpx.get(f"{service}/maps/{WHOLE_ANFA}?f=json").json()["extent"]
    assert zoom > 13
    assert south < lat < north
    assert west < lon < east
    whole.close()


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_a_link_that_is_shared_from_a_frame_keeps_what_it_shows(browser: Browser, service: str, lang: str) -> None:
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    asked = f"lang={lang}&district=06.141.01.03&filter=category='pharmacy'&layers=districts,facilities"
    page.goto(f"{service}/embed/city?{asked}")
    count = page.locator("[data-layer=facilities] label .count")
    settled = page.locator('[data-layer=facilities][data-state="ready"]')
    expect(settled).to_be_attached()
    shown = count.text_content() or ""
    assert 2 < int(shown) < 100
    page.locator("[data-tool=share]").click()
    expect(page.locator(".map-toast")).not_to_be_empty()
    link = page.evaluate("navigator.clipboard.readText()")
    assert parse_qs(urlsplit(link).query) == {
        "lang": [lang], "district": ["06.141.01.03"], "filter": ["category='pharmacy'"]
    }  # fmt: skip
    page.goto(link)
    expect(settled).to_be_attached()
    assert count.text_content() == shown
    ticked = page.locator("[data-layer]:has(input:checked)")
    assert sorted(ticked.evaluate_all("all => all.map(one => one.dataset.layer)")) == ["districts", "facilities"]
    note = page.locator(".map-alert").first
    expect(note).to_contain_text({"fr": "Maârif", "ar": "المعاريف"}[lang])
    assert problems(page) == []
    page.locator("#list-link").click()
    assert parse_qs(urlsplit(page.url).query)["filter"] == ["category='pharmacy'"]
    page.go_back()
    note.get_by_role("link").click()
    expect(settled).to_be_attached()
    assert int(re.sub(r"\D", "", count.text_content() or "")) > 100
    expect(page.locator(".map-alert:not(.demo)")).to_have_count(0)
    context.close()


def test_a_link_that_is_shared_keeps_the_time_and_the_filter_of_now(show: Callable[..., Page], service: str) -> None:
    page = show('map="worksites" lang="fr"')
    ready(page)
    page.evaluate(CALLS)
    assert call(page, "suspended") == ""
    frame = inner(page)
    frame.get_by_role("slider").press("PageUp")
    expect(frame.locator("[data-layer=worksites]")).to_have_attribute("data-state", "ready")
    frame.locator("html").evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')); }")
    page.wait_for_timeout(300)
    frame.locator("[data-tool=share]").click()
    link = urlsplit(frame.locator(".map-toast input").input_value())
    assert link.path == "/maps/worksites"
    assert parse_qs(link.query) == {"lang": ["fr"], "filter": ["state = 'suspended'"]}
    assert re.search(r"(^|&)time=2026-1[12]-", link.fragment) or "time=2027" in link.fragment


def test_a_selection_passes_no_filter(show: Callable[..., Page], service: str) -> None:
    page = show('map="worksites" lang="fr" district="06.141.01.03"')
    ready(page)
    page.evaluate(CALLS)
    page.evaluate("() => { calls.elsewhere = (map) => map.select('worksites/demo-t1-ennassim'); }")
    assert "demo-t1-ennassim" in call(page, "elsewhere")
    expect(inner(page).get_by_role("dialog")).to_be_hidden()


def test_a_broken_server_is_said_in_place_and_can_be_tried_again(show: Callable[..., Page], service: str) -> None:
    page = show('map="worksites" lang="fr" hidden')
    page.route("**/embed/**", lambda route: route.abort())
    reveal(page)
    message = page.locator("casa-map .said")
    expect(message).to_contain_text("La carte ne peut pas s'afficher")
    page.unroute("**/embed/**")
    message.get_by_role("button", name="Réessayer").press("Enter")
    ready(page)
    assert message.is_hidden()


def test_a_server_that_never_answers_is_said_in_place(show: Callable[..., Page]) -> None:
    page = show('map="worksites" lang="fr" hidden')
    page.clock.install()
    page.route("**/embed/**", lambda _: None)
    reveal(page)
    page.locator("casa-map iframe").wait_for(state="attached")
    message = page.locator("casa-map .said")
    expect(message).to_contain_text("Chargement")
    page.clock.run_for(25_000)
    expect(message).to_contain_text("La carte ne peut pas s'afficher")


@pytest.mark.parametrize("name", ["map", "lang", "district", "view", "layers", "filter", "theme", "colour", "height"])
def test_texts_in_attributes_are_inert(show: Callable[..., Page], name: str) -> None:
    given = {"map": "worksites", "lang": "fr", name: EVIL}
    page = show(" ".join(f'{key}="{escape(value)}"' for key, value in given.items()))
    wait(
        page,
        "heard.length || !document.querySelector('casa-map').shadowRoot.querySelector('.loading, .said:not(.failed)')",
    )
    address = page.locator("casa-map iframe").get_attribute("src") or ""
    assert address.startswith("http://127.0.0.1:")
    assert "<" not in address
    assert page.locator("casa-map img, casa-map svg").count() == 0


def test_texts_in_features_are_inert(show: Callable[..., Page]) -> None:
    page = show('map="worksites" lang="fr" hidden')

    def poison(route: Any) -> None:
        answer = route.fetch()
        body = answer.json()
        for feature in body.get("features", []):
            feature["properties"] |= dict.fromkeys(("name_fr", "name_ar"), EVIL)
        route.fulfill(response=answer, json=body)

    page.route("**/collections/worksites/items?**", poison)
    reveal(page)
    page.evaluate(CALLS)
    assert call(page, "select") == ""
    assert events(page, "select")[0]["name"] == EVIL
    assert inner(page).locator("img[src=x], svg[onload]").count() == 0


def test_messages_of_others_are_ignored(show: Callable[..., Page]) -> None:
    page = show()
    ready(page)
    before = page.evaluate("heard.length")
    page.evaluate(
        "() => { const told = { casamaps: 1, type: 'select', layer: 'x', id: 'y', name: 'z' };"
        " window.postMessage(told, '*');"
        " window.dispatchEvent(new MessageEvent('message', { data: told, origin: 'https://elsewhere.example' })); }"
    )
    page.wait_for_timeout(200)
    assert page.evaluate("heard.length") == before
    # The map itself hears its own page only, and only in words that it knows.
    state = "() => [location.hash, document.querySelector('#card').hidden]"
    frame = page.frames[1]
    was = frame.evaluate(state)
    frame.evaluate(
        "() => window.postMessage({ casamaps: 1, type: 'select', id: 1, key: 'worksites/demo-t1-hay-mohammadi' }, '*')"
    )
    page.evaluate(
        "() => { const { contentWindow } = document.querySelector('casa-map').shadowRoot.querySelector('iframe');"
        " for (const data of [null, 'x', { casamaps: 2, type: 'select', key: 'worksites/demo-t1-hay-mohammadi' },"
        " { casamaps: 1, type: 'constructor', id: 2 }]) contentWindow.postMessage(data, '*'); }"
    )
    page.wait_for_timeout(300)
    assert frame.evaluate(state) == was


def test_the_focus_goes_in_and_out_by_keyboard(show: Callable[..., Page]) -> None:
    page = show('map="health" lang="fr" layers="districts"')
    ready(page)
    page.locator("#before").focus()
    page.keyboard.press("Tab")
    # Another process has the frame, and is told.
    wait(page, "document.activeElement.localName === 'casa-map'")
    assert page.frames[1].evaluate("document.activeElement !== document.body")
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "after":
            break
    assert page.evaluate("document.activeElement.id") == "after"
    page.keyboard.press("Shift+Tab")
    wait(page, "document.activeElement.localName === 'casa-map'")


def test_a_map_below_the_page_waits_and_is_loaded_for_a_call(show: Callable[..., Page]) -> None:
    page = show('map="worksites" lang="fr" hidden')
    page.evaluate("document.querySelector('casa-map').style.marginTop = '4000px'")
    reveal(page)
    page.wait_for_timeout(500)
    assert page.locator("casa-map iframe").count() == 0
    page.evaluate(CALLS)
    assert call(page, "select") == ""
    page.evaluate("document.querySelector('casa-map').remove()")
    assert "plus dans la page" in page.evaluate(
        "async () => { const map = document.createElement('casa-map'); map.setAttribute('map', 'city');"
        " try { await map.select(null); return ''; } catch (error) { return error.message; } }"
    )


def test_the_script_is_small_and_its_hash_holds(service: str, browser: Browser, portal: Portal) -> None:
    plain = httpx.get(f"{service}/widget.js")
    size = len(gzip.compress(plain.content, 9))
    print(f"widget.js: {len(plain.content)} bytes, {size} compressed (budget 8,192)")
    assert size <= 8192
    builder = httpx.get(f"{service}/widgets?lang=fr&map=worksites").text
    shown = re.search(r"integrity=&#34;(sha384-[^&]+)&#34;", builder)
    address = re.search(r"src=&#34;([^&]+)&#34;", builder)
    assert shown
    assert address
    script = httpx.get(address[1])
    assert script.content == plain.content
    assert shown[1] == "sha384-" + base64.b64encode(hashlib.sha384(script.content).digest()).decode()
    assert "immutable" in script.headers["cache-control"]
    assert plain.headers["cache-control"] == "public, max-age=600"
    for source, runs in ((shown[1], True), ("sha384-" + "A" * 64, False)):
        portal.policy = ""
        portal.pages["/hash"] = (
            f'<!doctype html><script src="{address[1]}" integrity="{source}" crossorigin="anonymous" defer></script>'
            '<casa-map map="worksites" lang="fr"><a href="/x">Chantiers</a></casa-map>'
        )
        page = browser.new_page()
        page.goto(portal.url("localhost", "/hash"))
        assert page.evaluate("() => Boolean(customElements.get('casa-map'))") is runs
        # Without the script the link in the element is what its readers get.
        assert page.get_by_role("link", name="Chantiers").is_visible() is not runs
        page.close()


def test_the_scripts_texts_are_those_of_the_locales() -> None:
    import yaml

    source = (PROJECT / "api/web/js/widget.js").read_text(encoding="utf-8")
    for lang in ("fr", "ar"):
        block = re.search(rf"    {lang}: {{\n(.*?)\n    }},", source, re.DOTALL)
        assert block
        written = dict(re.findall(r'^\s+"?([\w-]+)"?: "(.*)",$', block[1], re.MULTILINE))
        locale = yaml.safe_load((PROJECT / f"api/locale/{lang}/widget.yaml").read_text(encoding="utf-8"))
        assert written == locale["outer"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("lang", ["fr", "ar"])
@pytest.mark.parametrize("path", ["/widgets", "/embed/worksites", "/embed/worksites?theme=nothing"])
def test_pages_are_accessible(browser: Browser, service: str, path: str, lang: str, scheme: Any) -> None:
    context = browser.new_context(color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    page.goto(f"{service}{path}{'&' if '?' in path else '?'}lang={lang}")
    if "nothing" not in path and "embed" in path:
        expect(page.locator(".map[data-started]")).to_be_visible()
        expect(
            page.locator('[data-layer] input:checked >> xpath=ancestor::*[@data-layer][1][not(@data-state="ready")]')
        ).to_have_count(0)
    if path == "/widgets":
        page.locator("details").evaluate_all("nodes => nodes.forEach(node => { node.open = true; })")
    assert problems(page) == []
    context.close()


def test_the_builder_follows_each_choice(browser: Browser, service: str) -> None:
    context = browser.new_context(
        viewport={"width": 1280, "height": 900}, permissions=["clipboard-read", "clipboard-write"]
    )
    page = context.new_page()
    problems: list[str] = []
    page.on("console", lambda message: message.type == "error" and problems.append(message.text))
    page.goto(f"{service}/widgets?lang=fr&map=worksites")
    page.locator("select[name=map]").select_option("health")
    code = page.locator("#code code")
    expect(code).to_contain_text('map="health"')
    page.locator("select[name=district]").select_option(ANFA)
    expect(code).to_contain_text(f'district="{ANFA}"')
    page.get_by_label("العربية").check()
    expect(code).to_contain_text('lang="ar"')
    page.locator("#layers").get_by_role("checkbox").first.press("Space")
    expect(code).to_contain_text('layers="')
    page.get_by_label("Hauteur (pixels)").fill("700")
    page.get_by_label("Sombre").check()
    expect(code).to_contain_text('theme="dark"')
    expect(code).to_contain_text('height="700"')
    frame = page.frame_locator("#preview iframe")
    expect(frame.locator(".map[data-started]")).to_be_visible()
    expect(frame.locator("html")).to_have_attribute("dir", "rtl")
    page.get_by_role("button", name="Copier le code").click()
    expect(page.locator("#said")).to_have_text("Code copié.")
    assert page.evaluate("navigator.clipboard.readText()") == code.text_content()
    assert parse_qs(urlsplit(page.url).query)["map"] == ["health"]
    assert problems == []
    context.close()


@pytest.mark.parametrize(("lang", "copy"), [("fr", "Copier le code"), ("ar", "نسخ الشفرة")])
@pytest.mark.parametrize("wrong", ["100", "99999", ""])
def test_the_builder_says_a_mistake_and_gives_no_code_of_before(
    browser: Browser, service: str, wrong: str, lang: str, copy: str
) -> None:
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(f"{service}/widgets?lang={lang}")
    height, code = page.locator("input[name=height]"), page.locator("#code code")
    mistake = page.locator("#height-wrong")
    expect(mistake).to_be_hidden()
    height.fill(wrong)
    height.press("Tab")
    expect(mistake).to_be_visible()
    expect(mistake).to_contain_text("240")
    expect(height).to_have_attribute("aria-invalid", "true")
    expect(height).to_have_accessible_description(re.compile("240"))
    button = page.get_by_role("button", name=copy)
    expect(button).to_be_disabled()
    expect(code).to_be_hidden()
    assert problems(page) == []
    # Other choices are followed meanwhile, and the code is theirs once the mistake is mended.
    page.locator("select[name=map]").select_option("health")
    expect(page.locator("#of")).to_have_value("health")
    expect(page.locator("#preview iframe")).to_have_attribute("data-src", re.compile("/embed/health"))
    expect(mistake).to_be_visible()
    expect(button).to_be_disabled()
    expect(page.locator("#code")).to_be_hidden()
    expect(page.locator("#frame-code")).to_be_hidden()
    height.fill("525")
    button.click()
    expect(mistake).to_be_hidden()
    expect(page.locator("#said")).not_to_be_empty()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert 'map="health"' in copied
    assert 'height="525"' in copied
    assert copied == code.text_content()
    context.close()


def test_the_builder_works_without_javascript(browser: Browser, service: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{service}/widgets?lang=ar&map=worksites")
    page.locator("select[name=map]").select_option("transport")
    page.locator("input[name=theme][value=light]").check()
    page.get_by_role("button", name="تحديث").click()
    expect(page.locator("#code code")).to_contain_text(
        '<casa-map map="transport" lang="ar" theme="light" height="520">'
    )
    expect(page.locator("#layers input:checked").first).to_be_visible()
    assert page.locator("#copy").is_hidden()
    context.close()
