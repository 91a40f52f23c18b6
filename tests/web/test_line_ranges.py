"""The range of a watchlist line: chosen in its form, refused in words, and shown beside the levels it gives."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client as Browser

from tests.factories import make_account, make_watch_item
from tests.web.conftest import text_of
from trading.domain.opening_range import OpeningRange as FoundRange
from trading.domain.timezone import ist_day
from trading.models import BrokerAccount, Client, DayRange, OrderIntentRow, WatchItem
from trading.services import wiring
from trading.services.views.ladders import levels_of
from trading.services.views.watch import watch_rows
from trading.services.views.why import order_why
from trading.stores.calendar import previous_session
from trading.stores.ranges import save_opening_range

pytestmark = pytest.mark.django_db
SignedIn = Callable[..., Browser]
LINE = {"key": "NSE:INFY", "quantity_mode": "fixed", "quantity": "100", "trades_enabled": "on"}
BY_HAND = {"range_source": "manual", "manual_high": "1500", "manual_low": "1450"}


def today() -> Any:
    return ist_day(wiring.clock().now())


@pytest.fixture
def account(alice: Client) -> BrokerAccount:
    return make_account(alice)


@pytest.fixture
def item(account: BrokerAccount) -> WatchItem:
    """A line whose last session is known, so that a wrong source would show levels."""
    made = make_watch_item(account)
    prices = {"high": Decimal(1600), "low": Decimal(1550), "close": Decimal(1560)}
    session = previous_session(today())
    assert session is not None
    DayRange.objects.create(instrument=made.instrument, day=session, source="test", **prices)
    return made


def changed(alice: Client, signed_in: SignedIn, item: WatchItem, **fields: str) -> Any:
    reply = signed_in(alice).post(f"/watchlist/{item.pk}/", {**LINE, **fields})
    item.refresh_from_db()
    return reply


def found(minutes: int = 15, **columns: Any) -> FoundRange:
    prices = {"high": Decimal(1500), "low": Decimal(1450)}
    return FoundRange("kite", "NSE:INFY", minutes, "ticks", **{**prices, **columns})


# -- the form --------------------------------------------------------------------------------------------------------


def test_the_form_offers_every_source(alice: Client, signed_in: SignedIn, item: WatchItem) -> None:
    page = text_of(signed_in(alice).get(f"/watchlist/{item.pk}/"))

    for words in (
        "previous session",
        "opening range of today",
        "set by hand",
        "Opening range, minutes",
        "by hand, high",
    ):
        assert words in page
    assert 'placeholder="None"' not in page


def test_a_line_is_put_on_the_opening_range(alice: Client, signed_in: SignedIn, item: WatchItem) -> None:
    changed(alice, signed_in, item, range_source="opening_range", opening_range_minutes="30")

    assert item.config == {"range_source": "opening_range", "opening_range_minutes": 30}


def test_a_line_is_put_on_a_range_by_hand_and_shows_it_again(
    alice: Client, signed_in: SignedIn, item: WatchItem
) -> None:
    changed(alice, signed_in, item, range_source="manual", manual_high="1500.05", manual_low="1450")

    assert item.config == {"range_source": "manual", "manual_high": "1500.05", "manual_low": "1450"}
    page = text_of(signed_in(alice).get(f"/watchlist/{item.pk}/"))
    assert 'value="1500.05"' in page


def test_what_belongs_to_another_source_is_not_kept(alice: Client, signed_in: SignedIn, item: WatchItem) -> None:
    changed(alice, signed_in, item, **BY_HAND, opening_range_minutes="30")
    assert item.config == BY_HAND

    changed(alice, signed_in, item, **{**BY_HAND, "range_source": "previous_day"})
    assert item.config == {}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"manual_high": ""}, "Say the high of the range set by hand"),
        ({"manual_low": ""}, "Say the low of the range set by hand"),
        ({"manual_high": "1500.03"}, "Must be a multiple of the tick of 0.05, was 1500.03"),
        ({"manual_low": "0"}, "Must be above zero"),
        ({"manual_low": "-5"}, "Must be above zero"),
        ({"manual_high": "1e12"}, "Must be above zero and below 1,00,00,00,000.00"),
        ({"manual_high": "1450"}, "Must be above the low of 1450, was 1450"),
        ({"manual_high": "1400"}, "Must be above the low of 1450, was 1400"),
        ({"manual_high": "NaN"}, "Enter a number"),
        ({"range_source": "opening_range", "opening_range_minutes": "0"}, "opening_range_minutes must be at least 1"),
        (
            {"range_source": "opening_range", "opening_range_minutes": "-900"},
            "opening_range_minutes must be at least 1",
        ),
        ({"range_source": "opening_range", "opening_range_minutes": "400"}, "times must be in order"),
        ({"range_source": "opening_range", "session_start": "09:20"}, "before the opening range ends at 09:30:00"),
        ({"range_source": "yesterday"}, "valid choice"),
    ],
)
def test_a_range_that_makes_no_sense_is_refused_in_words(
    alice: Client, signed_in: SignedIn, item: WatchItem, fields: dict[str, str], words: str
) -> None:
    reply = changed(alice, signed_in, item, **{**BY_HAND, **fields})

    assert reply.status_code == 200
    assert words in text_of(reply)
    assert item.config == {}


# -- what the pages show ---------------------------------------------------------------------------------------------


def test_before_its_window_is_over_a_line_on_the_opening_range_has_no_levels(
    alice: Client, signed_in: SignedIn, item: WatchItem
) -> None:
    changed(alice, signed_in, item, range_source="opening_range")
    save_opening_range(today(), found(minutes=30))

    assert levels_of(item, today()).levels is None
    page = text_of(signed_in(alice).get("/watchlist/"))
    assert "The opening range (09:15 to 09:30) is not known yet" in page
    assert "1,590.50" not in page  # the last session's buy level


def test_then_it_has_the_levels_of_the_range_that_the_engine_kept(
    alice: Client, signed_in: SignedIn, item: WatchItem
) -> None:
    changed(alice, signed_in, item, range_source="opening_range")
    save_opening_range(today(), found())

    (row,) = watch_rows(alice, today(), {})
    assert row["levels"]["long"]["entry"] == "1490.50"  # 1450 + 0.810 x 50
    assert (row["why_not"], row["range_words"]) == (
        "",
        "opening range 09:15 to 09:30, from ticks: 1,450.00 to 1,500.00",
    )
    page = text_of(signed_in(alice).get("/watchlist/"))
    assert "opening range 09:15 to 09:30, from ticks: 1,450.00 to 1,500.00" in page


def test_a_window_without_a_trade_is_told(alice: Client, signed_in: SignedIn, item: WatchItem) -> None:
    changed(alice, signed_in, item, range_source="opening_range")
    save_opening_range(today(), found(high=None, low=None, why_not="no trade from 09:15 to 09:30"))

    assert "No trade from 09:15 to 09:30" in text_of(signed_in(alice).get("/watchlist/"))


def test_a_range_by_hand_gives_levels_at_once(alice: Client, signed_in: SignedIn, item: WatchItem) -> None:
    changed(alice, signed_in, item, **BY_HAND)

    (row,) = watch_rows(alice, today(), {})
    assert row["levels"]["long"]["entry"] == "1490.50"
    assert row["range_words"] == "range set by hand: 1,450.00 to 1,500.00"


def test_the_last_session_is_named_with_its_day(item: WatchItem) -> None:
    session = previous_session(today())

    assert levels_of(item, today()).range_words == f"previous session, {session:%d %b %Y}: 1,550.00 to 1,600.00"


def test_the_strategy_may_put_all_its_lines_on_the_opening_range(
    alice: Client, signed_in: SignedIn, item: WatchItem
) -> None:
    changed(alice, signed_in, item)
    item.mapping = item.account.mappings.create(
        strategy=alice.user.strategies.create(name="opening", config={"range_source": "opening_range"})
    )
    item.save()

    assert levels_of(item, today()).why_not == "the opening range (09:15 to 09:30) is not known yet"


def test_the_why_of_an_order_says_where_its_range_came_from(item: WatchItem) -> None:
    known = found().reference()
    assert known is not None
    row = OrderIntentRow.objects.create(
        purpose_key="k",
        tag="T",
        client=item.client,
        account=item.account,
        day=today(),
        instrument="NSE:INFY",
        position=1,
        purpose="ENTRY",
        round=0,
        side="BUY",
        quantity=100,
        order_type="MARKET",
        product="MIS",
        state="NEW",
        is_exit=False,
        reason={"rule": "test", "range": known.as_dict()},
        decided_at=wiring.clock().now(),
    )

    steps = {step["name"]: step["text"] for step in order_why(row)["steps"]}

    assert steps["range"] == "opening range 09:15 to 09:30, from ticks, 1,450.00 to 1,500.00"
