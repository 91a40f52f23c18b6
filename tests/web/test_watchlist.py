"""The watchlist page: what is added, changed and removed, and what charlie gets of alice's."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import redis as redis_client
from django.test import Client as Browser

from tests.factories import make_account, make_instrument, make_watch_item
from tests.web.conftest import text_of
from trading.domain.instruments import Instrument, InstrumentType
from trading.domain.timezone import ist_day
from trading.marketdata.search import InstrumentIndex
from trading.models import (
    BrokerAccount,
    Client,
    CommandRow,
    DayRange,
    EventLog,
    Fill,
    InstrumentRow,
    QuantityMode,
    User,
    WatchItem,
)
from trading.services import wiring
from trading.stores.calendar import previous_session

pytestmark = pytest.mark.django_db
SignedIn = Callable[..., Browser]
LINE = {"key": "NSE:INFY", "quantity_mode": "fixed", "quantity": "100", "trades_enabled": "on"}


def today() -> Any:
    return ist_day(wiring.clock().now())


def known_today(symbol: str = "INFY", **columns: Any) -> InstrumentRow:
    return make_instrument(symbol, last_seen_on=today(), **columns)


@pytest.fixture
def account(alice: Client) -> BrokerAccount:
    return make_account(alice)


@pytest.fixture
def asked_ranges(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stand in for the broker's history: note whose range was asked for."""
    asked: list[str] = []

    def fetch(row: InstrumentRow) -> bool:
        asked.append(row.key)
        return True

    monkeypatch.setattr("trading.services.morning.fetch_range_of", fetch)
    return asked


def put_fill(item: WatchItem, side: str = "BUY") -> None:
    now = wiring.clock().now()
    Fill.objects.create(
        account=item.account,
        client=item.client,
        day=today(),
        exchange="NSE",
        trade_id=f"T{Fill.objects.count()}",
        order_id="1",
        instrument=item.instrument.key,
        side=side,
        product="MIS",
        quantity=10,
        price=Decimal(1500),
        filled_at=now,
    )


@pytest.mark.usefixtures("account")
def test_a_line_is_added_the_engine_told_and_its_range_fetched(
    alice: Client,
    signed_in: SignedIn,
    asked_ranges: list[str],
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    known_today()
    browser = signed_in(alice)

    with django_capture_on_commit_callbacks(execute=True):
        reply = browser.post("/watchlist/add/", LINE)

    assert reply["Location"] == "/watchlist/"
    item = WatchItem.objects.get(client=alice)
    assert (item.instrument.key, item.quantity, item.trades_enabled, item.config) == ("NSE:INFY", 100, True, {})
    assert item.mapping is not None
    assert CommandRow.objects.filter(client=alice, kind="RELOAD").exists()
    assert EventLog.objects.get(kind="WATCHLIST_CHANGED").data["change"] == "added"
    assert asked_ranges == ["NSE:INFY"]
    assert "INFY" in text_of(browser.get("/watchlist/"))


@pytest.mark.usefixtures("account", "asked_ranges")
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"quantity": ""}, "Say how many units"),
        ({"quantity": "75"}, "multiple of the lot of 50"),
        ({"quantity": "-50"}, "multiple of the lot of 50"),
        ({"quantity_mode": "capital", "quantity": ""}, "Say how many rupees"),
        ({"quantity_mode": "capital", "capital": "0"}, "above zero"),
        ({"quantity_mode": "capital", "capital": "100.005"}, "whole paise"),
        ({"quantity_mode": "some"}, "valid choice"),
        ({"min_lots": "0"}, "min_lots must be at least 1"),
        ({"entry_buy_fraction": "1.5"}, "entry_buy_fraction must lie between 0 and 1"),
        ({"target_fractions": "0.1, 0.2"}, "target_fractions must have 10 values, had 2"),
        ({"booking_fractions": "a b"}, "booking_fractions:"),
        ({"no_new_entry_after": "15:20", "square_off_at": "15:10"}, "times must be in order"),
    ],
)
def test_a_line_that_makes_no_sense_is_refused_in_words(
    alice: Client, signed_in: SignedIn, changes: dict[str, str], words: str
) -> None:
    known_today("INFY", lot_size=50)

    reply = signed_in(alice).post("/watchlist/add/", {**LINE, **changes})

    assert reply.status_code == 200
    assert words in text_of(reply)
    assert not WatchItem.objects.exists()


@pytest.mark.usefixtures("account")
def test_an_index_can_be_watched_but_not_traded(alice: Client, signed_in: SignedIn) -> None:
    known_today("NIFTY 50", instrument_type=InstrumentType.INDEX)
    browser = signed_in(alice)
    line = {**LINE, "key": "NSE:NIFTY 50"}

    assert "is an index" in text_of(browser.post("/watchlist/add/", line))

    browser.post("/watchlist/add/", {**line, "trades_enabled": "", "quantity": ""})
    assert WatchItem.objects.get(client=alice).trades_enabled is False
    assert "watched, not traded" in text_of(browser.get("/watchlist/"))


def test_an_instrument_is_once_on_an_account(alice: Client, account: BrokerAccount, signed_in: SignedIn) -> None:
    make_watch_item(account)
    known_today().save()
    InstrumentRow.objects.update(last_seen_on=today())

    reply = signed_in(alice).post("/watchlist/add/", LINE)

    assert "on the list of this account already" in text_of(reply)
    assert WatchItem.objects.count() == 1


def test_only_what_differs_from_the_strategy_is_kept(
    alice: Client, account: BrokerAccount, signed_in: SignedIn
) -> None:
    item = make_watch_item(account)
    ladder = {"sides": "long", "trigger": "cross", "max_entries_per_side": "2", "square_off_at": "15:05:00"}

    signed_in(alice).post(f"/watchlist/{item.pk}/", {**LINE, **ladder})

    item.refresh_from_db()
    assert item.config == {"sides": "long", "max_entries_per_side": 2, "square_off_at": "15:05:00"}


def test_a_line_is_changed_to_capital_and_shown_so(alice: Client, account: BrokerAccount, signed_in: SignedIn) -> None:
    item = make_watch_item(account)
    browser = signed_in(alice)

    browser.post(f"/watchlist/{item.pk}/", {"quantity_mode": "capital", "capital": "100000", "trades_enabled": "on"})

    item.refresh_from_db()
    assert (item.quantity_mode, item.capital) == (QuantityMode.CAPITAL, Decimal(100_000))
    assert "₹1,00,000" in text_of(browser.get("/watchlist/"))
    assert 'value="100000"' in text_of(browser.get(f"/watchlist/{item.pk}/"))


def test_trading_is_switched_off_and_on_for_one_line(
    alice: Client, account: BrokerAccount, signed_in: SignedIn
) -> None:
    item, other = make_watch_item(account), make_watch_item(account, "RELIANCE")
    browser = signed_in(alice)

    browser.post(f"/watchlist/{item.pk}/trading/", {"on": "0"})
    item.refresh_from_db()
    assert item.trades_enabled is False
    assert CommandRow.objects.filter(client=alice, kind="RELOAD").exists()

    browser.post(f"/watchlist/{item.pk}/trading/", {"on": "1"})
    item.refresh_from_db()
    other.refresh_from_db()
    assert item.trades_enabled is True
    assert other.trades_enabled is True


def test_a_line_without_a_size_cannot_be_switched_on(
    alice: Client, account: BrokerAccount, signed_in: SignedIn
) -> None:
    item = make_watch_item(account, trades_enabled=False, quantity=None)
    browser = signed_in(alice)

    browser.post(f"/watchlist/{item.pk}/trading/", {"on": "1"})

    item.refresh_from_db()
    assert item.trades_enabled is False
    assert "still off. Say how many units" in text_of(browser.get("/watchlist/"))


def test_a_line_is_removed(alice: Client, account: BrokerAccount, signed_in: SignedIn) -> None:
    item = make_watch_item(account)

    signed_in(alice).post(f"/watchlist/{item.pk}/remove/")

    assert not WatchItem.objects.exists()
    assert EventLog.objects.get(kind="WATCHLIST_CHANGED").data["change"] == "removed"


@pytest.mark.proves("F68")
def test_removal_is_refused_while_a_position_is_open(
    alice: Client, account: BrokerAccount, signed_in: SignedIn
) -> None:
    item = make_watch_item(account)
    put_fill(item)
    browser = signed_in(alice)

    browser.post(f"/watchlist/{item.pk}/remove/")

    assert WatchItem.objects.filter(pk=item.pk).exists()
    assert "has an open position" in text_of(browser.get("/watchlist/"))
    put_fill(item, side="SELL")
    browser.post(f"/watchlist/{item.pk}/remove/")
    assert not WatchItem.objects.filter(pk=item.pk).exists()


@pytest.mark.parametrize("path", ["", "trading/", "remove/"])
def test_charlie_gets_404_for_a_line_of_alices(
    charlie: Client, account: BrokerAccount, signed_in: SignedIn, path: str
) -> None:
    item = make_watch_item(account)

    reply = signed_in(charlie).post(f"/watchlist/{item.pk}/{path}", {**LINE, "quantity": "999", "on": "0"})

    assert reply.status_code == 404
    item.refresh_from_db()
    assert (item.quantity, item.trades_enabled) == (10, True)


def test_charlie_cannot_add_to_alices_account(charlie: Client, account: BrokerAccount, signed_in: SignedIn) -> None:
    make_account(charlie)
    known_today()

    reply = signed_in(charlie).post("/watchlist/add/", {**LINE, "account": str(account.pk)})

    assert reply.status_code == 404
    assert not WatchItem.objects.exists()


def test_charlie_sees_nothing_of_alices_list(charlie: Client, account: BrokerAccount, signed_in: SignedIn) -> None:
    make_watch_item(account)

    assert "Nothing is watched yet" in text_of(signed_in(charlie).get("/watchlist/"))


def test_an_operator_has_no_watchlist_and_a_stranger_signs_in_first(
    bob: User, browser: Browser, signed_in: SignedIn
) -> None:
    assert signed_in(bob).get("/watchlist/").status_code == 404
    assert browser.get("/watchlist/")["Location"].startswith("/accounts/login/")


def test_levels_of_both_sides_stand_side_by_side(alice: Client, account: BrokerAccount, signed_in: SignedIn) -> None:
    item = make_watch_item(account)
    session = previous_session(today())
    assert session is not None
    DayRange.objects.create(
        instrument=item.instrument, day=session, high=Decimal(1500), low=Decimal(1450), close=Decimal(1460), source="t"
    )

    page = text_of(signed_in(alice).get("/watchlist/"))

    assert "1,490.50" in page  # 1450 + 0.810 x 50
    assert "1,454.50" in page  # 1500 - 0.910 x 50
    assert "1,493.00" in page  # T1 of the long side
    assert "1,465.50" in page  # Y1 of the long side


def test_without_a_range_the_line_says_why_it_is_not_traded(
    alice: Client, account: BrokerAccount, signed_in: SignedIn
) -> None:
    make_watch_item(account)

    assert "range is not known yet" in text_of(signed_in(alice).get("/watchlist/"))


def test_the_search_says_so_when_redis_is_away(alice: Client, signed_in: SignedIn) -> None:
    reply = signed_in(alice).get("/watchlist/search/", {"q": "infy"})

    assert reply.status_code == 200
    assert "does not answer" in text_of(reply)


def listed(symbol: str, name: str) -> Instrument:
    return Instrument(
        exchange="NSE",
        tradingsymbol=symbol,
        token=408065,
        tick_size=Decimal("0.05"),
        lot_size=1,
        instrument_type=InstrumentType.EQ,
        segment="NSE",
        name=name,
    )


def test_the_search_finds_by_symbol_and_name_and_marks_what_is_watched(
    alice: Client, account: BrokerAccount, signed_in: SignedIn, redis: "redis_client.Redis[bytes]"
) -> None:
    browser = signed_in(alice)
    assert "not there yet" in text_of(browser.get("/watchlist/search/", {"q": "infy"}))
    InstrumentIndex(redis, "kite").build([listed("INFY", "INFOSYS"), listed("M&M", "MAHINDRA & MAHINDRA")], "v1")
    make_watch_item(account)

    assert "on the list" in text_of(browser.get("/watchlist/search/", {"q": "infosys"}))
    assert "key=NSE%3AM%26M" in text_of(browser.get("/watchlist/search/", {"q": "mahindra"}))
    assert "Nothing has all of" in text_of(browser.get("/watchlist/search/", {"q": "<b>zzz"}))
    assert "<b>zzz" not in text_of(browser.get("/watchlist/search/", {"q": "<b>zzz"}))


def test_the_form_opens_for_an_instrument_of_the_index_and_not_for_an_unknown_one(
    alice: Client, account: BrokerAccount, signed_in: SignedIn, redis: "redis_client.Redis[bytes]"
) -> None:
    assert account.key
    InstrumentIndex(redis, "kite").build([listed("INFY", "INFOSYS")], "v1")
    browser = signed_in(alice)

    assert "INFOSYS" in text_of(browser.get("/watchlist/add/", {"key": "NSE:INFY"}))
    assert browser.get("/watchlist/add/", {"key": "NSE:NOBODY"}).status_code == 404


def test_without_an_account_the_next_step_is_to_connect_one(alice: Client, signed_in: SignedIn) -> None:
    browser = signed_in(alice)

    assert "Connect a broker account first" in text_of(browser.get("/watchlist/"))
    assert browser.get("/watchlist/add/", {"key": "NSE:INFY"})["Location"] == "/settings/brokers/connect/"


def test_the_checklist_links_to_the_watchlist(alice: Client, account: BrokerAccount, signed_in: SignedIn) -> None:
    alice.limits_confirmed_at = wiring.clock().wall() - timedelta(days=1)
    alice.save()
    browser = signed_in(alice)

    page = text_of(browser.get("/onboarding/"))
    assert 'href="/watchlist/"' in page

    make_watch_item(account)
    assert browser.get("/onboarding/").status_code == 200


def test_the_search_dialog_is_on_every_page_of_a_client_and_on_none_of_the_operators(
    alice: Client, bob: User, signed_in: SignedIn
) -> None:
    page = text_of(signed_in(alice).get("/settings/"))

    assert "data-opens-search" in page
    assert 'hx-get="/watchlist/search/"' in page
    assert "data-opens-search" not in text_of(signed_in(bob).get("/settings/"))


def symbols_of(client: Client) -> list[str]:
    return [item.instrument.tradingsymbol for item in client.watch_items.order_by("position", "id")]


def test_a_line_is_moved_by_one_place_and_the_ends_stay_ends(
    alice: Client, account: BrokerAccount, signed_in: SignedIn
) -> None:
    first, second, third = (make_watch_item(account, name) for name in ("INFY", "RELIANCE", "SBIN"))
    browser = signed_in(alice)

    browser.post(f"/watchlist/{third.pk}/move/", {"to": "up"})
    after_one = symbols_of(alice)
    browser.post(f"/watchlist/{first.pk}/move/", {"to": "up"})
    reply = browser.post(f"/watchlist/{second.pk}/move/", {"to": "down"})

    assert after_one == ["INFY", "SBIN", "RELIANCE"]
    assert symbols_of(alice) == ["INFY", "SBIN", "RELIANCE"]
    assert reply["Location"] == f"/watchlist/#line-{second.pk}"
    assert not CommandRow.objects.exists(), "the engine does not read in order"
