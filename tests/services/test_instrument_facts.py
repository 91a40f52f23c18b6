"""The broker's new list against what is known: lines keep what a person saw, and the list waits for a person."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import redis as redis_client
from django.core.exceptions import PermissionDenied

from tests.factories import DAY, TEN_O_CLOCK, make_account, make_client, make_instrument, make_operator, make_watch_item
from tests.fakes.clock import FakeClock
from tests.marketdata.test_master import dump, rows
from trading.domain.errors import RiskDenied
from trading.domain.orders import Side
from trading.marketdata.master import DumpRefused
from trading.models import (
    Alarm,
    BrokerAccount,
    CommandRow,
    EventLog,
    Fill,
    InstrumentDump,
    InstrumentRow,
    QuantityMode,
    User,
    WatchItem,
)
from trading.services import morning, wiring
from trading.services.instrument_facts import held_instruments, lines_out_of_lot, take_facts, update_rows

pytestmark = pytest.mark.django_db
LIST_OF_ONE_LOT = ["25600,1,SYM1,NAME 1,0,,0,0.05,10,EQ,NSE,NSE"]
LOT_OF_TEN = "lot size was 1, the list says 10"


@pytest.fixture
def account() -> BrokerAccount:
    return make_account(make_client("alice"))


@pytest.fixture
def bob() -> User:
    return make_operator("bob")


def listed(symbol: str = "INFY", **facts: Any) -> InstrumentRow:
    """Take in a list in which a stock has these facts."""
    return update_rows([replace(make_instrument(symbol).to_domain(), **facts)], DAY)[f"NSE:{symbol}"]


@pytest.mark.proves("F06")
@pytest.mark.parametrize("facts", [{"token": 408321}, {"lot_size": 10}, {"tick_size": Decimal("1.5")}])
def test_a_line_keeps_its_instruments_facts_until_a_list_agrees_again(
    account: BrokerAccount, facts: dict[str, Any]
) -> None:
    known = make_watch_item(account).instrument.to_domain()

    changed = listed(**facts)
    assert InstrumentRow.objects.get().to_domain() == known
    assert list(changed.listed_otherwise) == list(facts)
    assert [held.row.key for held in held_instruments(DAY)] == ["NSE:INFY"]

    assert listed().listed_otherwise == {}
    assert held_instruments(DAY) == []


def test_what_nobody_watches_takes_every_list(account: BrokerAccount) -> None:
    make_watch_item(account, "RELIANCE")

    assert listed("INFY", lot_size=10).lot_size == 10
    assert held_instruments(DAY) == []


@pytest.mark.proves("F06")
def test_an_expired_contract_and_one_that_the_days_list_lacks_are_held(account: BrokerAccount) -> None:
    make_watch_item(account, "INFY")
    make_watch_item(account, "RELIANCE")
    InstrumentRow.objects.filter(tradingsymbol="INFY").update(expiry=DAY - timedelta(days=1), last_seen_on=DAY)
    assert [(held.row.key, held.why) for held in held_instruments(DAY)] == [("NSE:INFY", "it expired on 2026-11-22")]

    InstrumentDump.objects.create(day=DAY, broker="kite", path="x", sha256="x", row_count=2000)

    assert [(held.row.key, held.may_take) for held in held_instruments(DAY)] == [
        ("NSE:INFY", False), ("NSE:RELIANCE", False),
    ]  # fmt: skip


def test_an_operator_takes_the_lists_values_over_with_a_reason(account: BrokerAccount, bob: User) -> None:
    clock = FakeClock(TEN_O_CLOCK)
    make_watch_item(account, quantity=25, quantity_mode=QuantityMode.FIXED)
    row = listed(lot_size=10, token=408321, expiry=date(2026, 12, 24))
    words = "feed token was 408065, the list says 408321; lot size was 1, the list says 10"
    seen = f"{words}; expiry was none, the list says 2026-12-24"

    with pytest.raises(PermissionDenied):
        take_facts(row.pk, "it is so", seen=seen, by=account.owner, clock=clock)
    with pytest.raises(RiskDenied, match="something else"):
        take_facts(row.pk, "it is so", seen=words, by=bob, clock=clock)
    taken = take_facts(row.pk, "the circular says so", seen=seen, by=bob, clock=clock)
    take_facts(row.pk, "pressed twice", seen=seen, by=bob, clock=clock)

    taken.refresh_from_db()
    assert (taken.lot_size, taken.token, taken.expiry) == (10, 408321, date(2026, 12, 24))
    assert (held_instruments(DAY), lines_out_of_lot(taken)) == ([], 1)
    (event,) = EventLog.objects.filter(kind="INSTRUMENT_FACTS_TAKEN")
    assert (event.data["by"], event.data["reason"]) == ("bob@example.com", "the circular says so")
    assert CommandRow.objects.filter(kind="RELOAD").exists()


def test_nothing_is_taken_over_while_somebody_holds_the_instrument(account: BrokerAccount, bob: User) -> None:
    make_watch_item(account)
    row = listed(lot_size=10)
    fill = {"day": DAY, "exchange": "NSE", "instrument": "NSE:INFY", "product": "MIS", "quantity": 10, "price": 1500}
    owned = {"account": account, "client": account.owner.client, "filled_at": TEN_O_CLOCK, "order_id": "1"}
    Fill.objects.create(trade_id="1", side=Side.BUY, **fill, **owned)

    with pytest.raises(RiskDenied, match="kite:AB1001 still has it open"):
        take_facts(row.pk, "it is so", seen=LOT_OF_TEN, by=bob, clock=FakeClock(TEN_O_CLOCK))

    Fill.objects.create(trade_id="2", side=Side.SELL, **fill, **owned)
    assert take_facts(row.pk, "it is so", seen=LOT_OF_TEN, by=bob, clock=FakeClock(TEN_O_CLOCK)).lot_size == 10


@pytest.mark.proves("F06")
def test_a_list_with_one_wrong_lot_holds_that_symbol_and_a_cut_one_is_refused_and_told(
    account: BrokerAccount, redis: "redis_client.Redis[bytes]", state_dir: Path
) -> None:
    morning.take_list(dump(rows(2000)), DAY - timedelta(days=3))
    known = morning.instrument_rows({"NSE:SYM1", "NSE:SYM2"})
    for row in known.values():
        WatchItem.objects.create(client=account.owner.client, account=account, instrument=row, quantity=1)

    morning.take_list(dump([rows(1)[0].replace("0.05,1,EQ", "0.05,10,EQ"), *rows(2001)[1:]]), DAY)
    assert [(held.row.key, held.why) for held in held_instruments(DAY)] == [("NSE:SYM1", LOT_OF_TEN)]
    assert InstrumentRow.objects.get(tradingsymbol="SYM1").lot_size == 1

    with pytest.raises(DumpRefused):
        morning.take_list(dump(rows(2100))[:-40], DAY + timedelta(days=1))
    assert Alarm.objects.get(code="INSTRUMENT_LIST_REFUSED").text.endswith("the last line is cut")
    assert [held.row.key for held in held_instruments(DAY)] == ["NSE:SYM1"]


@pytest.mark.proves("F06", "F36")
def test_nothing_is_on_hold_while_the_search_index_is_made_or_cannot_be(
    account: BrokerAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = make_instrument("SYM1")
    make_watch_item(account, "SYM1")
    held: list[object] = []

    def away() -> None:
        held.extend(held_instruments(DAY))
        raise redis_client.ConnectionError("away")

    monkeypatch.setattr(wiring, "redis_client", away)
    with pytest.raises(redis_client.ConnectionError):
        morning.take_list(dump(rows(2000)), DAY)

    assert [one for one in held if "does not have it" in str(one)] == []
    row.refresh_from_db()
    assert row.last_seen_on == DAY
