"""The desk: what stands on it, who sees it, and that unknown is never shown as flat."""

import re
from collections.abc import Callable
from datetime import time
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import reverse
from pytest_django.fixtures import Settings

from tests.factories import DAY
from tests.web.conftest import text_of
from tests.web.seed import NOW, ControlPort, put_price, seed_day, seed_feed, seed_prices
from trading.domain.control import TradingState
from trading.domain.timezone import at_ist
from trading.models import Client, CommandRow, House, OrderIntentRow, PnlPoint, User
from trading.services import wiring
from trading.services.views.positions import position_rows, totals
from trading.services.views.snapshot import client_snapshot
from trading.services.views.why import find_order, order_why
from trading.stores.commands import finish
from trading.web import formats

pytestmark = pytest.mark.django_db
SignedIn = Callable[..., Browser]
PAGES = ("dashboard", "positions", "orders")


def row_of(client: Client, symbol: str) -> dict[str, Any]:
    return next(row for row in position_rows(client, DAY) if row["symbol"] == symbol)


def test_the_strip_says_where_a_position_stands(day: Client) -> None:
    row = row_of(day, "INFY")

    assert row["sentence"].startswith("long, T3 of 10 reached, stop Y4 at 1,5")
    assert row["sentence"].endswith(" % away, 70 of 100 open")
    assert (row["side"], row["open"], row["entered"], row["k"], row["y"]) == ("long", 70, 100, 3, 4)


@pytest.mark.proves("I11")
def test_realised_and_unrealised_add_up_from_fills_and_last_prices(day: Client, redis: Any) -> None:
    put_price(redis, 779521, Decimal("830.45"))

    sbin = row_of(day, "SBIN")
    sums = totals(position_rows(day, DAY))

    assert (sbin["realised"], sbin["unrealised"]) == ("0.00", "2000.00")
    assert Decimal(sums["total"] or "x") == Decimal(sums["realised"] or "x") + Decimal(sums["unrealised"] or "x")


@pytest.mark.proves("I24")
def test_without_a_price_the_total_is_unknown_and_not_zero(day: Client, redis: Any) -> None:
    redis.flushall()

    board = client_snapshot(day)

    assert board["pnl"]["unrealised"] is None
    assert board["pnl"]["total"] is None
    assert board["pnl"]["realised"] is not None
    assert len(board["pnl"]["unpriced"]) == 3
    assert board["feed"]["age_s"] is None


def test_without_the_feed_holders_consent_no_price_is_shown(
    alice: Client, bob: User, redis: Any, market: ControlPort
) -> None:
    seed_feed(bob, consent=False)
    seed_day(alice)
    seed_prices(redis)

    board = client_snapshot(alice)

    assert {row["ltp"] for row in board["watchlist"]} == {None}
    assert {row["ltp"] for row in board["positions"]} == {None}


@pytest.mark.proves("I24")
def test_while_the_market_clock_is_away_nothing_is_called_flat(
    alice: Client, signed_in: SignedIn, settings: Settings
) -> None:
    settings.ALGO_CONTROL_URL = "http://127.0.0.1:1"

    page = text_of(signed_in(alice).get(reverse("dashboard")))

    assert "Positions are unknown" in page
    assert "No open position" not in page


@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_the_desk_sends_a_stranger_to_sign_in(browser: Browser, db: None, name: str) -> None:
    assert browser.get(reverse(name))["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_the_desk_shows_its_owner_everything_and_charlie_nothing(
    day: Client, charlie: Client, signed_in: SignedIn, name: str
) -> None:
    tags = set(OrderIntentRow.objects.values_list("tag", flat=True))

    own, others = text_of(signed_in(day).get(reverse(name))), text_of(signed_in(charlie).get(reverse(name)))

    assert "INFY" in own
    assert "INFY" not in others
    assert not any(tag in others for tag in tags)


def test_the_dashboard_carries_figures_strip_square_offs_and_sentences(day: Client, signed_in: SignedIn) -> None:
    page = text_of(signed_in(day).get(reverse("dashboard")))

    assert page.count('data-testid="strip"') == 3
    assert page.count('class="ladder"') == 3
    assert page.count('data-reached="true"') == 4
    assert "15:10" in page
    assert "15:15" in page
    assert "T3 at" in page
    assert 'data-testid="total-pnl"' in page


def test_a_part_of_the_dashboard_comes_alone(day: Client, signed_in: SignedIn) -> None:
    browser = signed_in(day)

    part = text_of(browser.get(reverse("dashboard"), {"part": "positions"}))

    assert part.strip().startswith('<section class="panel" data-part="positions"')
    assert "<html" not in part
    assert browser.get(reverse("dashboard"), {"part": "../base"}).status_code == 404


def test_a_quiet_day_says_what_will_stand_there(alice: Client, market: ControlPort, signed_in: SignedIn) -> None:
    page = text_of(signed_in(alice).get(reverse("dashboard")))

    assert "No open position" in page
    assert "No order today" in page
    assert "Nothing watched" in page


def test_the_page_says_why_nothing_is_entered(day: Client, market: ControlPort, signed_in: SignedIn) -> None:
    stale = NOW.replace(minute=43)
    market.now = stale

    page = text_of(signed_in(day).get(reverse("dashboard")))

    assert "No new entries: the price feed is" in page


def test_a_holiday_is_named(alice: Client, market: ControlPort, signed_in: SignedIn) -> None:
    market.now = NOW.replace(month=12, day=25)

    assert "is a market holiday" in text_of(signed_in(alice).get(reverse("dashboard")))


# -- the why --------------------------------------------------------------------------------------------------------


def test_an_order_tells_tick_rule_levels_gate_intent_sending_answer_and_fill(day: Client) -> None:
    row = OrderIntentRow.objects.filter(purpose="TARGET").order_by("pk")[0]

    why = order_why(row)

    steps = {step["name"]: step for step in why["steps"]}
    assert list(steps) == ["tick", "rule", "levels", "intent", "gate", "sent", "ack", "status", "fill"]
    assert steps["gate"]["since_ms"] == 4
    assert steps["ack"]["since_ms"] == 27
    assert steps["fill"]["since_ms"] == 4
    assert len(steps["levels"]["levels"]["targets"]) == 10


def test_the_why_page_shows_times_to_the_millisecond(day: Client, signed_in: SignedIn) -> None:
    row = OrderIntentRow.objects.filter(purpose="ENTRY").order_by("pk")[0]

    page = text_of(signed_in(day).get(reverse("order-why", args=[row.tag])))

    assert "09:18:00.140" in page
    assert "+27 ms" in page


def test_another_clients_order_is_not_found(day: Client, charlie: Client, signed_in: SignedIn) -> None:
    tag = OrderIntentRow.objects.values_list("tag", flat=True)[0]

    assert find_order(charlie, tag) is None
    assert signed_in(charlie).get(reverse("order-why", args=[tag])).status_code == 404
    assert signed_in(day).get(reverse("order-why", args=[tag])).status_code == 200


def test_the_operator_may_read_every_why(day: Client, bob: User, signed_in: SignedIn) -> None:
    tag = OrderIntentRow.objects.values_list("tag", flat=True)[0]

    assert day.user.email in text_of(signed_in(bob).get(reverse("order-why", args=[tag])))


# -- charts -----------------------------------------------------------------------------------------------------------


def test_the_pnl_line_gives_its_owners_points_only(day: Client, charlie: Client, signed_in: SignedIn) -> None:
    assert len(signed_in(day).get(reverse("pnl-points")).json()["points"]) == 87
    assert signed_in(charlie).get(reverse("pnl-points")).json()["points"] == []


def test_the_pnl_line_begins_at_the_opening_and_knows_the_square_offs(day: Client, signed_in: SignedIn) -> None:
    PnlPoint.objects.create(client=day, at=at_ist(DAY, time(9, 1)), realised_pnl=0, unrealised_pnl=0)

    chart = signed_in(day).get(reverse("pnl-points")).json()

    assert chart["points"][0]["at"] == chart["day"]["open"] == at_ist(DAY, time(9, 15)).timestamp()
    assert [line["time"] for line in chart["day"]["square_offs"]] == ["15:10", "15:15"]


def test_while_nothing_is_open_the_price_chart_has_both_entries_and_the_square_off(
    day: Client, signed_in: SignedIn
) -> None:
    browser = signed_in(day)

    flat = browser.get(reverse("price-candles"), {"instrument": "NSE:HDFCBANK"}).json()
    held = browser.get(reverse("price-candles"), {"instrument": "NSE:INFY"}).json()

    assert Decimal(flat["entries"]["long"]) > Decimal(flat["entries"]["short"])
    assert [line["time"] for line in flat["day"]["square_offs"]] == ["15:10"]
    assert held["entries"] is None
    assert len(held["position"]["levels"]["stops"]) == 10


def test_a_position_shows_its_percent_and_what_it_realised_today(day: Client, signed_in: SignedIn) -> None:
    row = row_of(day, "INFY")
    page = text_of(signed_in(day).get(reverse("positions")))

    assert Decimal(row["percent"]) == Decimal("0.66")
    assert f'data-cell="realised" data-format="pnl" data-sign="up">{formats.pnl(Decimal(row["realised"]))}<' in page


def test_an_instrument_is_offered_once_for_the_chart_and_open_ones_first(day: Client, signed_in: SignedIn) -> None:
    page = text_of(signed_in(day).get(reverse("positions"), {"instrument": "NSE:SBIN"}))

    offered = re.findall(r'<option value="NSE:([A-Z]+)"( selected)?>([^<]+)<', page)
    assert [name for name, _, _ in offered] == ["INFY", "RELIANCE", "SBIN", "HDFCBANK", "ABBOTINDIA"]
    assert [label for _, _, label in offered][:3] == ["INFY (open)", "RELIANCE (open)", "SBIN (open)"]
    assert [name for name, is_chosen, _ in offered if is_chosen] == ["SBIN"]


def test_a_price_chart_is_given_for_own_instruments_only(day: Client, charlie: Client, signed_in: SignedIn) -> None:
    where = {"instrument": "NSE:INFY"}

    chart = signed_in(day).get(reverse("price-candles"), where).json()

    assert chart["why"] == "Sign in at your broker to see candles."
    assert chart["position"]["k"] == 3
    assert [fill["quantity"] for fill in chart["fills"]] == [100, 10, 10, 10]
    assert signed_in(charlie).get(reverse("price-candles"), where).status_code == 404


# -- the kill switch ------------------------------------------------------------------------------------------------


@pytest.mark.proves("F67", "I7")
def test_the_kill_switch_works_at_the_first_press_and_while_redis_is_away(
    alice: Client, market: ControlPort, signed_in: SignedIn
) -> None:
    reply = signed_in(alice).post(reverse("kill"))

    alice.refresh_from_db()
    assert reply.status_code == 302
    assert alice.state == TradingState.REDUCING
    assert CommandRow.objects.get().client == alice


def test_a_kill_by_get_or_by_a_stranger_changes_nothing(alice: Client, browser: Browser, signed_in: SignedIn) -> None:
    assert signed_in(alice).get(reverse("kill")).status_code == 405
    assert browser.post(reverse("kill")).status_code == 302

    assert not CommandRow.objects.exists()


def test_the_page_shows_the_brokers_confirmation_in_milliseconds(
    day: Client, market: ControlPort, signed_in: SignedIn
) -> None:
    browser = signed_in(day)
    browser.post(reverse("kill"))
    waiting = text_of(browser.get(reverse("dashboard")))
    result = {"last_entry_ms": 12, "cancels_ms": 40, "flat_ms": 310, "flat": True, "left_open": {}}
    finish(CommandRow.objects.get().pk, result, at=market.now, wall=wiring.clock().wall())

    done = text_of(browser.get(reverse("dashboard")))

    assert "confirmation follows" in waiting
    assert "flat after 310 ms, confirmed by the broker" in done


@pytest.mark.proves("I24")
def test_a_kill_that_no_broker_confirmed_is_not_called_flat(
    day: Client, market: ControlPort, signed_in: SignedIn
) -> None:
    browser = signed_in(day)
    browser.post(reverse("kill"))
    measured: dict[str, Any] = {"last_entry_ms": 12, "cancels_ms": 40, "flat_ms": None, "left_open": {}}
    result = {**measured, "unconfirmed": ["kite:AB1001"]}
    finish(CommandRow.objects.get().pk, result, at=market.now, wall=wiring.clock().wall())

    page = text_of(browser.get(reverse("dashboard")))

    assert "not confirmed flat: kite:AB1001 must be signed in" in page
    assert "positions were left open" not in page
    assert "confirmed by the broker" not in page


def test_the_operator_stops_everybody_or_one(
    alice: Client, bob: User, market: ControlPort, signed_in: SignedIn
) -> None:
    browser = signed_in(bob)

    browser.post(reverse("operator-kill"), {"client": str(alice.pk)})
    alice.refresh_from_db()
    one, house = alice.state, House.objects.first()
    browser.post(reverse("operator-kill"))

    assert one == TradingState.REDUCING
    assert house is None or house.state == TradingState.ACTIVE
    assert House.objects.get().state == TradingState.REDUCING


def test_a_client_cannot_press_the_operators_switch(alice: Client, charlie: Client, signed_in: SignedIn) -> None:
    reply = signed_in(charlie).post(reverse("operator-kill"), {"client": str(alice.pk)})

    assert reply.status_code == 404
    assert not CommandRow.objects.exists()


def test_an_unknown_client_of_the_operators_switch_is_not_the_whole_house(bob: User, signed_in: SignedIn) -> None:
    browser = signed_in(bob)

    assert browser.post(reverse("operator-kill"), {"client": "999"}).status_code == 404
    assert browser.post(reverse("operator-kill"), {"client": "all"}).status_code == 404
    assert not CommandRow.objects.exists()
