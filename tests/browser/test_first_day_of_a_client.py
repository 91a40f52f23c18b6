"""A person's first day in a real browser: sign up, connect the broker, choose an instrument, watch, stop."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import chromium
from tests.days.stack import RunningStack

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.timeout(1800)]

PASSWORD = "a-long-enough-passphrase-7"
EMAIL = "dev@example.com"
USER_ID = "XY2001"


@pytest.fixture(scope="module")
def browser(browser_path: str) -> Iterator[Browser]:
    with chromium(browser_path) as running:
        yield running


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    folder: Path = tmp_path_factory.mktemp("browser") / "state"
    with RunningStack(folder, "--speed", "600", "--day", "2026-11-23", "--seed", "83") as running:
        running.run_until("09:20:00")
        yield running


def sign_up(page: Page, url: str) -> None:
    page.goto(f"{url}/accounts/signup/")
    page.fill("input[name=email]", EMAIL)
    page.fill("input[name=password1]", PASSWORD)
    page.locator("main form button[type=submit]").first.click()
    expect(page.locator("input[name=code]")).to_be_visible()
    mailbox = page.context.new_page()
    mailbox.goto(f"{url}/demo/mail/")
    mail = mailbox.get_by_test_id("mail").filter(has_text=EMAIL).first
    code = re.search(r"\b\d{4}-\d{4}\b", mail.inner_text())
    assert code is not None, mail.inner_text()
    mailbox.close()
    page.fill("input[name=code]", code.group())
    page.locator("main form button[type=submit]").first.click()
    expect(page.get_by_test_id("step-broker")).to_be_visible()


def connect_broker(page: Page, url: str) -> None:
    keys = page.context.new_page()
    keys.goto(f"{url}/demo/brokers/")
    card = keys.get_by_test_id("demo-user").filter(has_text=USER_ID).first
    api_key, api_secret, password, totp = card.locator("code").all_inner_texts()
    keys.close()

    page.goto(f"{url}/settings/brokers/connect/")
    page.fill("input[name=broker_user_id]", USER_ID)
    page.fill("input[name=api_key]", api_key)
    page.fill("input[name=api_secret]", api_secret)
    page.locator("main form button[type=submit]").first.click()
    while not page.locator("input[name=totp]").count():
        page.locator("main form button[type=submit]").first.click()
        page.wait_for_load_state()
    page.fill("input[name=user_id]", USER_ID)
    page.fill("input[name=password]", password)
    page.fill("input[name=totp]", totp)
    page.click("button[value=login]")
    page.wait_for_url(f"{url}/**")
    assert api_secret not in page.content()


def set_limits(page: Page, url: str) -> None:
    page.goto(f"{url}/settings/limits/")
    page.fill("input[name=daily_loss_limit]", "20000")
    page.locator("main form button[type=submit]").first.click()
    page.wait_for_load_state()


def add_instrument(page: Page, url: str) -> None:
    page.goto(f"{url}/watchlist/")
    page.keyboard.press("/")
    page.get_by_test_id("search").fill("reliance")
    page.get_by_test_id("hit").filter(has_text="RELIANCE").first.click()
    page.fill("input[name=quantity]", "50")
    page.get_by_test_id("save").click()
    expect(page.locator("[data-key='NSE:RELIANCE']")).to_be_visible()


def test_sign_up_connect_trade_and_stop(browser: Browser, stack: RunningStack) -> None:
    url = stack.view()["url"]
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    sign_up(page, url)
    connect_broker(page, url)
    set_limits(page, url)
    add_instrument(page, url)
    page.goto(f"{url}/onboarding/")
    page.get_by_test_id("step-paper").get_by_role("button").click()
    page.goto(f"{url}/dashboard/")
    expect(page.get_by_test_id("no-positions")).to_be_visible()

    loads: list[str] = []
    page.on("framenavigated", lambda frame: loads.append(frame.url))
    stack.control("/clock", {"speed": 60, "resume": True})
    expect(page.get_by_test_id("position")).to_be_visible(timeout=300_000)
    total = page.get_by_test_id("total-pnl")
    shown = total.inner_text()
    expect(total).not_to_have_text(shown, timeout=240_000)
    assert loads == []

    page.get_by_test_id("kill").click()
    expect(page.get_by_test_id("state")).to_have_text("HALTED", timeout=120_000)
    expect(page.get_by_test_id("no-positions")).to_be_visible(timeout=120_000)
    ledger = stack.control("/ledger")[USER_ID]
    assert all(position["net_quantity"] == 0 for position in ledger["positions"])
    assert len(ledger["orders"]) >= 2
    page.goto(f"{url}/orders/")
    page.get_by_role("link", name="Why").first.click()
    expect(page.get_by_test_id("timeline")).to_be_visible()
    assert errors == []
    context.close()
