"""Pages on the narrowest screens: nothing needs to be scrolled sideways (WCAG 2.2, 1.4.10)."""

import pytest

PATHS = (
    "/", "/directory", "/directory/arrondissement-d-anfa", "/directory/gare-routiere-ctm-casablanca", "/directory/oncf",
    "/districts", "/districts/06.141.01.07", "/collections", "/collections/facilities", "/collections/facilities/items",
    "/collections/districts/items/06.141.01.07", "/maps", "/at?point=-7.6,33.58", "/nearest?point=-7.6,33.58",
    "/search?q=hopital", "/search/reverse?lat=33.58&lon=-7.6", "/accessibility", "/privacy", "/api", "/functions",
)  # fmt: skip


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_no_page_is_wider_than_the_screen(new_page, lang):
    page = new_page(viewport={"width": 320, "height": 640})
    for path in PATHS:
        answer = page.goto(f"{path}{'&' if '?' in path else '?'}f=html&lang={lang}")
        assert answer.status == 200, path
        root = "document.documentElement"
        scrolled, shown = page.evaluate(f"[{root}.scrollWidth, {root}.clientWidth]")
        assert scrolled <= shown, path
