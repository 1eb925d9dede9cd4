"""What the first view of the default map costs: bytes and requests are held, the time on a slow phone is printed."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import Page, expect

MOST_BYTES, MOST_REQUESTS = 200_000, 25
#: A slow phone as browsers' own audits have it: processor, bits a second, milliseconds.
CPU, BITS, LATENCY = 4, 1_600_000, 150


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_the_first_view_stays_within_its_budget(
    new_page: Callable[..., Page], client: httpx.Client, capsys: pytest.CaptureFixture[str], lang: str
) -> None:
    for address in (f"/?lang={lang}", f"/maps/city.js?lang={lang}"):  # what the service makes once is made
        client.get(address)
    page = new_page(viewport={"width": 390, "height": 844}, device_scale_factor=2, is_mobile=True, has_touch=True)
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": LATENCY, "downloadThroughput": BITS / 8, "uploadThroughput": BITS / 8},
    )
    session.send("Emulation.setCPUThrottlingRate", {"rate": CPU})
    sizes: list[float] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    page.goto(f"/?lang={lang}", wait_until="commit")
    expect(page.locator(".map[data-started]")).to_be_visible()
    usable = page.evaluate("() => performance.now()")
    ready = page.locator('[data-layer]:has(input:checked):not([data-state="ready"])')
    expect(ready).to_have_count(0)
    complete = page.evaluate("() => performance.now()")
    page.wait_for_load_state("networkidle")
    with capsys.disabled():
        print(
            f"\n  first view ({lang}): {sum(sizes) / 1000:.0f} kB, {len(sizes)} requests, "
            f"usable after {usable / 1000:.1f} s, complete after {complete / 1000:.1f} s"
        )
    assert sum(sizes) <= MOST_BYTES
    assert len(sizes) <= MOST_REQUESTS
