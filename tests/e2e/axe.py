"""axe-core, an independent checker of WCAG: the same rules wherever a page is looked at."""

from __future__ import annotations

import json

from playwright.sync_api import Page

from api.cli.assets import WEB

_SOURCE = WEB / "node_modules" / "axe-core" / "axe.min.js"
#: Up to WCAG 2.2 AA, with what axe holds to be good practice.
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_RUN = """([rules, moves]) => axe.run(document, { runOnly: rules, iframes: false }).then(({ violations, passes }) => [
    passes.length,
    violations.map(({ id, nodes }) => ({ id, nodes: nodes.filter(({ target, failureSummary }) =>
        !(moves && id === "target-size" && document.querySelector(target[0]).matches(".map-icon") && /obscured/.test(failureSummary))) }))
    .filter(({ nodes }) => nodes.length).map(({ id, nodes }) =>
        `${id}: ${nodes.slice(0, 4).map(({ target, failureSummary }) => `${target} (${failureSummary})`).join("; ")}`),
])"""


def problems(page: Page, *, moves: bool = False) -> list[str]:
    """Return what axe finds on a page as it is now; the page's policy must let the checker in.

    With ``moves``, a mark may lie half under what stands on the map: it comes out from under it with the focus, or when
    the map is moved; the rule knows only how it lies now.
    """
    # A colour that fades in is looked at when it is there.
    page.wait_for_function(
        "() => document.getAnimations().every(({ effect }) => effect.getComputedTiming().endTime === Infinity)"
    )
    page.evaluate(_SOURCE.read_text(encoding="utf-8"))
    passed, found = page.evaluate(_RUN, [_RULES, moves])
    assert passed > 10, f"axe looked at too little: {json.dumps(found)}"
    return list(found)
