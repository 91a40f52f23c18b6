"""The exchange's own page in a real browser: a fault is chosen, strikes, is seen and taken out; the clock is held."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kiteconnect import KiteConnect
from kiteconnect import exceptions as kite_errors
from playwright.sync_api import Page, expect

from tests.browser.conftest import chromium
from tests.exchange.kite.samples import MARKET

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
ROOT = Path(__file__).resolve().parents[2]
ORDER = MARKET | {"tradingsymbol": "RELIANCE"}


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Run an exchange and give its first line."""
    folder = tmp_path_factory.mktemp("exchange")
    words = ["manage.py", "run_exchange", "--json", "--day", "2026-11-23", "--state-dir", str(folder)]
    with subprocess.Popen([sys.executable, *words], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()


@pytest.fixture
def complaints() -> list[str]:
    """Collect what the browser's console complains about: a breach of the page's policy is said there."""
    return []


@pytest.fixture
def page(exchange: dict[str, Any], browser_path: str, complaints: list[str]) -> Iterator[Page]:
    with chromium(browser_path) as running:
        opened = running.new_page(color_scheme="dark", viewport={"width": 1440, "height": 900})
        opened.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        opened.goto(exchange["control"])
        yield opened


def test_a_fault_is_chosen_strikes_is_told_and_taken_out(
    exchange: dict[str, Any], page: Page, complaints: list[str]
) -> None:
    user = next(one for one in exchange["users"] if one["user_id"] == "AB1001")
    kite = KiteConnect(user["api_key"], user["access_token"], root=exchange["rest"])

    page.get_by_test_id("preset").select_option("F15")
    page.get_by_label("Account").first.select_option("AB1001")
    page.get_by_test_id("put").click()
    expect(page.get_by_test_id("force")).to_contain_text("429")
    with pytest.raises(kite_errors.NetworkException, match="Too many requests"):
        kite.place_order(**ORDER)

    expect(page.get_by_test_id("log").get_by_text("F15")).to_have_count(1)
    expect(page.get_by_test_id("log").locator("li").first).to_contain_text("POST /orders/regular · AB1001")
    page.get_by_role("button", name="Remove F15").click()
    expect(page.get_by_test_id("force")).to_contain_text("the exchange behaves")
    assert kite.place_order(**ORDER)
    expect(page.get_by_test_id("accounts")).to_contain_text("NSE:RELIANCE")

    page.locator("body").press("h")
    expect(page.get_by_test_id("pace")).to_have_text("held")
    page.get_by_test_id("hold").click()
    expect(page.get_by_test_id("pace")).to_have_text("real time")
    page.get_by_test_id("until").fill("09:00:00")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_test_id("message")).to_contain_text("run_until must not be before")
    assert [line for line in complaints if "400" not in line] == []


def test_on_desk_and_phone_by_day_and_night_axe_finds_nothing_and_nothing_is_cut_off(page: Page, axe: str) -> None:
    page.add_init_script(axe)
    found = []
    for theme, width in (("dark", 1440), ("light", 1440), ("dark", 390), ("light", 390)):
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": 844})
        page.reload()
        expect(page.get_by_test_id("accounts")).to_contain_text("AB1001")
        seen = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
        found += [(theme, width, one["id"], [node["target"] for node in one["nodes"]]) for one in seen]
        if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            found.append((theme, width, "wider than the screen", []))

    assert found == []
