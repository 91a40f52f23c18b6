"""What the desk says of the hours to come, and why nothing is entered now."""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from time import sleep
from typing import Any

import pytest
from django.test import Client as Browser

from tests.factories import DAY, make_account, make_watch_item
from tests.web.conftest import text_of
from tests.web.seed import ControlPort, seed_prices
from trading.domain.control import TradingState
from trading.domain.timezone import at_ist
from trading.models import Client, InstrumentRow
from trading.ports import EngineEvent
from trading.services import glance
from trading.services.views import outlook
from trading.stores.chain import append_events

pytestmark = pytest.mark.django_db
SignedIn = Callable[..., Browser]


@pytest.fixture
def trader(alice: Client) -> Client:
    """Give alice with a stock that has a closing auction and one that has none."""
    account = make_account(alice)
    make_watch_item(account, "INFY")
    make_watch_item(account, "ABBOTINDIA")
    InstrumentRow.objects.filter(tradingsymbol="INFY").update(has_derivatives=True)
    return alice


def coming_at(client: Client, moment: datetime) -> list[tuple[str, str]]:
    rows = outlook.coming(client, moment, outlook.square_offs(client, DAY))
    return [(row["time"], row["text"]) for row in rows]


def at(hour: int, minute: int, second: int = 0) -> datetime:
    return at_ist(DAY, time(hour, minute, second))


def test_in_the_morning_the_opening_comes_first_and_both_square_offs_with_their_ends(trader: Client) -> None:
    assert coming_at(trader, at(9, 0)) == [
        ("09:15", "the market opens"),
        ("15:00", "no new entries from then on"),
        ("15:10", "square-off of stocks with a closing auction, flat by 15:14:00"),
        ("15:15", "square-off of other stocks, flat by 15:16:00"),
    ]


def test_what_is_being_squared_off_is_flat_by_its_end(trader: Client) -> None:
    assert coming_at(trader, at(15, 12)) == [
        ("15:14", "stocks with a closing auction are flat by then"),
        ("15:15", "square-off of other stocks, flat by 15:16:00"),
    ]


def test_a_time_beyond_the_brokers_own_square_off_is_brought_forward_and_the_page_says_why(trader: Client) -> None:
    Client.objects.update(square_off_at=time(15, 30))
    trader.refresh_from_db()

    (row,) = [row for row in outlook.square_offs(trader, DAY) if row["group"] == "other stocks"]

    assert (row["time"], row["flat_by"]) == ("15:15", "15:19:30")
    assert row["reason"].startswith("the broker itself closes intraday positions at 15:20:00, so the square-off")


def test_after_the_day_the_next_session_comes_beyond_the_holiday(trader: Client) -> None:
    assert coming_at(trader, at(15, 17)) == [("09:15", "next session, Wed 25 Nov")]


def test_beyond_the_known_years_the_next_session_is_not_known(trader: Client) -> None:
    rows = outlook.coming(trader, datetime.fromisoformat("2031-03-03T10:00:00+05:30"), [])

    assert [(row["at"], row["text"]) for row in rows] == [(None, "the next session is not known")]


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        ("2026-11-23T09:14:59+05:30", "the market opens at 09:15"),
        ("2026-11-23T10:00:00+05:30", ""),
        ("2026-11-23T15:00:00+05:30", "the last entry time, 15:00, has passed"),
        ("2026-11-23T15:30:00+05:30", "the market closed at 15:30"),
        ("2026-11-22T10:00:00+05:30", "2026-11-22 is a Sunday"),
        ("2026-12-25T10:00:00+05:30", "2026-12-25 is a market holiday: "),
        ("2031-03-03T10:00:00+05:30", "no holiday list of 2031 is known"),
    ],
)
def test_why_nothing_is_entered_by_the_hour_and_the_day(trader: Client, moment: str, words: str) -> None:
    told = outlook.why_no_entries(trader, datetime.fromisoformat(moment), 0.2)

    assert told.startswith(words)
    assert bool(told) == bool(words)


@pytest.mark.proves("F01", "I24")
@pytest.mark.parametrize(
    ("age_s", "words"), [(2.9, ""), (3.1, "3.1 s old"), (55, "the price feed is 55 s old"), (400, "6 min old")]
)
def test_an_old_feed_lets_nothing_in_and_says_its_age(trader: Client, age_s: float, words: str) -> None:
    told = outlook.why_no_entries(trader, at(10, 0), age_s)

    assert words in told
    assert bool(told) == bool(words)


@pytest.mark.proves("F01", "I24")
def test_the_age_of_an_old_feed_goes_on_growing_on_the_page(
    trader: Client, market: ControlPort, signed_in: SignedIn, redis: Any
) -> None:
    seed_prices(redis)
    market.now += timedelta(minutes=3)

    page = text_of(signed_in(trader).get("/dashboard/"))

    assert "No new entries: the price feed is" in page
    assert page.count('data-live="feed.age_s"') >= 2
    assert 'data-prices="bad"' in page


@pytest.mark.proves("F01", "F02")
def test_the_watchlist_says_that_nothing_is_entered_by_an_old_feed_and_stops_saying_so_by_itself(
    trader: Client, market: ControlPort, signed_in: SignedIn, redis: Any
) -> None:
    browser, calm = signed_in(trader), market.now
    seed_prices(redis)
    market.now += timedelta(minutes=3)
    page = soon(browser, lambda page: "No new entries" in page)
    assert "No new entries: the price feed is 3 min old." in page
    assert "It ends by itself when prices come" in page
    assert TradingState.ACTIVE in page

    market.now = calm
    assert "No new entries" not in soon(browser, lambda page: "No new entries" not in page)


def soon(browser: Browser, holds: Callable[[str], bool]) -> str:
    """Give the watchlist once it says so, or as it is after some seconds: a page may know the clock of a moment ago."""
    for _ in range(50):
        if holds(page := text_of(browser.get("/watchlist/"))):
            break
        sleep(0.1)
    return page


@pytest.mark.parametrize(
    ("age_s", "phase", "kind"),
    [
        (0.3, "open", "ok"),
        (3.0, "open", "ok"),
        (3.1, "open", "bad"),
        (12.0, "continuous", "bad"),
        (900.0, "closed", "off"),
        (0.3, "pre_open", "ok"),
        (None, "open", "off"),
    ],
)
def test_a_feed_is_judged_by_its_age_and_by_whether_prices_are_due(age_s: float | None, phase: str, kind: str) -> None:
    assert glance.feed_kind(age_s, phase) == kind


def test_after_the_square_off_the_desk_says_that_the_broker_confirmed_it(
    trader: Client, market: ControlPort, signed_in: SignedIn
) -> None:
    told = {"text": "flat, confirmed by the broker's positions", "instruments": "all"}
    early = {**told, "instruments": ["NSE:INFY"]}
    append_events([EngineEvent(trader.pk, "SQUARED_OFF", at(15, 15, 2), told)], wall=at(15, 15, 2))
    append_events([EngineEvent(trader.pk, "SQUARED_OFF", at(15, 20, 1), early)], wall=at(15, 20, 1))
    market.now, market.phase = at(15, 31), "closed"

    page = text_of(signed_in(trader).get("/dashboard/"))

    assert "flat, confirmed by the broker's positions at 15:15:02" in page
    assert "next session, Wed 25 Nov" in page
