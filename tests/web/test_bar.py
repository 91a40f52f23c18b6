"""The bar that never scrolls away: the same figures as the desk, a kill switch that always works, and its words."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client as Browser
from pytest_django.fixtures import Settings

from tests.web.conftest import text_of
from trading.domain.control import TradingState
from trading.models import Client, CommandRow, User

pytestmark = pytest.mark.django_db
SignedIn = Callable[..., Browser]
KILL = re.compile(r"<button[^>]*data-testid=\"kill\"[^>]*>")


def shown(page: str, name: str) -> str:
    """Give the text of the element with this test id."""
    found = re.search(rf'data-testid="{name}">([^<]*)<', page)
    assert found is not None, name
    return found.group(1)


def test_the_bar_and_the_desk_say_the_same_pnl_with_a_sign(day: Client, signed_in: SignedIn) -> None:
    page = text_of(signed_in(day).get("/dashboard/"))

    assert shown(page, "bar-pnl") == shown(page, "total-pnl")
    assert shown(page, "bar-pnl")[0] in "+−"


def test_an_open_position_without_a_price_makes_the_pnl_a_dash(day: Client, signed_in: SignedIn, redis: Any) -> None:
    redis.flushall()

    assert shown(text_of(signed_in(day).get("/settings/")), "bar-pnl") == "—"


def test_whoever_traded_nothing_has_made_exactly_nothing(day: Client, charlie: Client, signed_in: SignedIn) -> None:
    assert shown(text_of(signed_in(charlie).get("/settings/")), "bar-pnl") == "₹0.00"


def test_the_operator_sees_the_sum_of_all_clients(day: Client, bob: User, signed_in: SignedIn) -> None:
    own = shown(text_of(signed_in(day).get("/dashboard/")), "bar-pnl")

    page = text_of(signed_in(bob).get("/operator/"))

    assert shown(page, "bar-pnl") == shown(page, "house-total") == own


def test_the_sum_with_an_unpriced_position_in_it_is_unknown_to_the_operator_too(
    day: Client, bob: User, signed_in: SignedIn, redis: Any
) -> None:
    redis.flushall()

    page = text_of(signed_in(bob).get("/operator/"))

    assert shown(page, "bar-pnl") == shown(page, "house-total") == "—"


def test_while_the_market_clock_is_away_the_state_is_unknown_and_the_kill_switch_works(
    alice: Client, signed_in: SignedIn, settings: Settings
) -> None:
    settings.ALGO_CONTROL_URL = "http://127.0.0.1:9"
    browser = signed_in(alice)

    page = text_of(browser.get("/dashboard/"))
    found = KILL.search(page)
    browser.post("/kill/")

    assert 'data-state="UNKNOWN"' in page
    assert found is not None
    assert "disabled" not in found.group()
    assert CommandRow.objects.get().client == alice


@pytest.mark.parametrize(
    ("state", "squares_off", "words"),
    [
        (TradingState.ACTIVE, True, "stops, squares off"),
        (TradingState.ACTIVE, False, "stops, leaves positions"),
        (TradingState.REDUCING, True, "stopped, squares off"),
        (TradingState.HALTED, True, "stopped, no entry passes"),
    ],
)
def test_the_switch_says_what_it_does_and_what_it_did(
    day: Client, signed_in: SignedIn, state: TradingState, squares_off: bool, words: str
) -> None:
    Client.objects.filter(pk=day.pk).update(state=state, squares_off_on_kill=squares_off)

    page = text_of(signed_in(day).get("/positions/"))

    assert f">{words}</small>" in page
    assert "disabled" not in KILL.search(page).group()  # type: ignore[union-attr]  # also what is halted can be pressed


def test_a_phone_reaches_every_page_that_the_menu_names(alice: Client, signed_in: SignedIn) -> None:
    page = text_of(signed_in(alice).get("/settings/"))

    more = page[page.index("More pages") :]
    for place in ("/reports/", "/status/", "/onboarding/", "/demo/mail/"):
        assert f'href="{place}"' in more, place
