"""Every page of a seeded morning in a real browser: accessible, within the screen, by keyboard, and without JavaScript.

The pages come from Django's test server, which has no sockets: what moves is tested on a whole stack beside this.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.staticfiles import finders
from django.test import Client as Browser
from playwright.sync_api import BrowserContext, Page, expect
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from tests.browser.conftest import NO_SCRIPTS, chromium
from tests.factories import DAY
from tests.web.seed import NOW, ControlPort, seed_day, seed_feed, seed_prices
from trading.domain.control import TradingState
from trading.models import Alarm, Client, DayReport, OrderIntentRow, User, WatchItem
from trading.services import people, reports

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
Open = Callable[..., BrowserContext]

SIZES = {"desktop": (1440, 900), "tablet": (820, 1180), "phone": (390, 844)}
PASSWORD = "correct horse battery staple"
VISITOR = ("/", "/accounts/signup/", "/accounts/login/", "/accounts/password/reset/", "/demo/mail/", "/not-there/")
CLIENT = (
    *("/dashboard/", "/positions/", "/orders/", "ORDER", "/watchlist/", "LINE", "/watchlist/add/?q=infy"),
    *("/settings/", "/settings/brokers/", "/settings/limits/", "/settings/brokers/connect/", "/onboarding/"),
    *("/reports/", f"/reports/{DAY}/", "/status/", "/trade-again/", "/accounts/password/change/"),
)
OPERATOR = ("/operator/", "/settings/feed/", "/reports/", "/status/", "RAISE")


@pytest.fixture
def places(
    transactional_db: None, settings: Settings, redis: Any
) -> Iterator[tuple[dict[str, User | None], dict[str, str]]]:
    """Seed alice's morning, one stopped client and an alarm; give who opens pages, and the places with an id."""
    settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
    port = ControlPort()
    settings.ALGO_CONTROL_URL = port.url
    alice = people.enrol("alice@example.com", PASSWORD).client
    stopped = people.enrol("charlie@example.com", PASSWORD).client
    bob = people.enrol("bob@example.com", PASSWORD, is_operator=True)
    seed_feed(bob)
    seed_day(alice)
    seed_prices(redis)
    Client.objects.filter(pk=stopped.pk).update(state=TradingState.HALTED, state_reason="kill switch: flat")
    Alarm.objects.create(client=alice, code="DRIFT", text="look at it", day=DAY, raised_at=NOW, last_at=NOW)
    DayReport.objects.create(client=alice, day=DAY, data=reports.report_of(alice, DAY))
    ids = {
        "ORDER": f"/orders/{OrderIntentRow.objects.values_list('tag', flat=True)[0]}/",
        "LINE": f"/watchlist/{WatchItem.objects.values_list('pk', flat=True)[0]}/",
        "RAISE": f"/operator/raise/{stopped.pk}/",
    }
    yield {"visitor": None, "client": alice.user, "operator": bob}, ids
    port.close()


@pytest.fixture
def scripts() -> tuple[str, ...]:
    """Give the browser's options about JavaScript; a test may switch it off."""
    return ()


@pytest.fixture
def open_as(
    places: tuple[dict[str, User | None], dict[str, str]],
    live_server: LiveServer,
    browser_path: str,
    scripts: tuple[str, ...],
) -> Iterator[Open]:
    """Give a way to open the site as somebody; sessions are made before the browser's loop runs."""
    sessions = {role: session_of(user) for role, user in places[0].items()}
    with chromium(browser_path, *scripts) as running:

        def open_context(role: str, device: str = "desktop", theme: str = "dark") -> BrowserContext:
            width, height = SIZES[device]
            context = running.new_context(
                viewport={"width": width, "height": height}, base_url=live_server.url, reduced_motion="reduce"
            )
            cookies = {"theme": theme, django_settings.SESSION_COOKIE_NAME: sessions[role]}
            context.add_cookies([{"name": n, "value": v, "url": live_server.url} for n, v in cookies.items() if v])
            return context

        yield open_context


def session_of(user: User | None) -> str:
    """Sign somebody in and give the session's cookie; empty for a visitor."""
    visitor = Browser()
    if user is None:
        return ""
    visitor.force_login(user)
    return visitor.cookies[django_settings.SESSION_COOKIE_NAME].value


def faults_of(page: Page, axe: str) -> list[str]:
    """Give what axe finds on the open page, one line each."""
    page.evaluate(axe)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    return [f"{one['id']}: {[node['target'] for node in one['nodes'][:3]]}" for one in found]


@pytest.mark.parametrize("device", ["desktop", "phone"])
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_no_page_has_a_fault_that_axe_finds_and_none_is_wider_than_its_screen(
    places: tuple[dict[str, User | None], dict[str, str]], open_as: Open, axe: str, theme: str, device: str
) -> None:
    faults: list[str] = []
    for role, paths in {"visitor": VISITOR, "client": CLIENT, "operator": OPERATOR}.items():
        context = open_as(role, device, theme)
        page = context.new_page()
        for path in paths:
            page.goto(places[1].get(path, path))
            faults += [f"{path} {fault}" for fault in faults_of(page, axe)]
            if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
                faults.append(f"{path} is wider than the screen")
        context.close()

    assert faults == []


@pytest.mark.parametrize("device", ["phone", "tablet", "desktop"])
def test_the_mark_of_a_paper_installation_is_seen_and_makes_no_page_wider_than_its_screen(
    settings: Settings, open_as: Open, device: str
) -> None:
    settings.ALGO_VENUE, settings.IS_DEMO, settings.IS_PAPER = "paper", False, True
    for role, path in (("client", "/dashboard/"), ("operator", "/operator/")):
        page = open_as(role, device).new_page()
        page.goto(path)
        box = page.get_by_test_id("paper").bounding_box()

        assert box is not None
        assert 0 <= box["x"] < box["x"] + box["width"] <= SIZES[device][0]
        assert 0 <= box["y"] < 80
        assert not page.evaluate("document.documentElement.scrollWidth > window.innerWidth")


@pytest.mark.parametrize("device", ["phone", "tablet"])
def test_the_operators_stop_needs_no_sideways_scroll(open_as: Open, device: str) -> None:
    page = open_as("operator", device).new_page()
    page.goto("/operator/")

    box = page.get_by_test_id("kill-client").first.bounding_box()

    assert box is not None
    assert 0 <= box["x"] < box["x"] + box["width"] <= SIZES[device][0]
    assert box["height"] >= 36


@pytest.mark.usefixtures("places")
def test_the_bar_of_a_phone_is_two_lines_with_kill_switch_state_and_feed(open_as: Open) -> None:
    page = open_as("client", "phone").new_page()
    page.goto("/dashboard/")

    bar = page.locator("header.appbar").bounding_box()

    assert bar is not None
    assert bar["height"] < 80
    for name in ("kill", "state", "feed", "bar-pnl"):
        expect(page.get_by_test_id(name)).to_be_in_viewport(ratio=1)


def test_the_keyboard_searches_goes_to_pages_shows_its_keys_and_closes(open_as: Open) -> None:
    page = open_as("client").new_page()
    page.goto("/dashboard/")

    page.keyboard.press("/")
    expect(page.get_by_test_id("search")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#search-dialog")).not_to_be_visible()
    expect(page.get_by_test_id("search")).not_to_be_focused()  # a closing dialog gives the focus back a moment later
    page.keyboard.press("?")
    expect(page.get_by_role("heading", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    for key, place in {"p": "/positions/", "o": "/orders/", "w": "/watchlist/", "d": "/dashboard/"}.items():
        page.keyboard.press("g")
        page.keyboard.press(key)
        page.wait_for_url(f"**{place}")


def test_what_has_the_focus_is_outlined(open_as: Open) -> None:
    page = open_as("client").new_page()
    page.goto("/dashboard/")

    for _ in range(4):
        page.keyboard.press("Tab")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")

    assert outline == "solid"


@pytest.mark.parametrize("scripts", [(NO_SCRIPTS,)])
def test_without_javascript_everything_can_be_read_and_the_kill_switch_works(open_as: Open) -> None:
    page = open_as("client").new_page()
    page.goto("/dashboard/")

    expect(page.get_by_test_id("total-pnl")).to_contain_text("₹")
    expect(page.get_by_test_id("position")).to_have_count(3)
    expect(page.locator("noscript p").first).to_contain_text("needs JavaScript")
    page.goto("/watchlist/")
    page.locator("noscript a").click()
    expect(page.get_by_role("searchbox")).to_be_visible()
    page.get_by_test_id("kill").click()
    expect(page.get_by_test_id("state")).to_have_text("REDUCING")


def test_without_a_socket_the_page_says_that_its_figures_stand_still(open_as: Open) -> None:
    page = open_as("client").new_page()
    page.goto("/dashboard/")

    expect(page.locator("[data-connection-bar]")).to_contain_text("Figures stand still", timeout=60_000)


def test_a_symbol_of_the_watchlist_brings_up_its_chart(open_as: Open) -> None:
    page = open_as("client").new_page()
    page.goto("/dashboard/")

    page.get_by_test_id("watch-row").filter(has_text="HDFCBANK").get_by_role("link").click()

    expect(page.get_by_label("Instrument of the chart")).to_have_value("NSE:HDFCBANK")
    assert page.url.endswith("/dashboard/")


def test_every_committed_style_and_script_loads(open_as: Open) -> None:
    page = open_as("client").new_page()
    failed: list[str] = []
    errors: list[str] = []
    page.on("requestfailed", lambda request: failed.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto("/dashboard/")
    page.wait_for_load_state("networkidle")

    assert [url for url in failed if "/static/" in url] == []
    assert errors == []
    assert finders.find("theme/board.js")
