"""Alerts: when they fire, what they place, and what is left of them over the days."""

from dataclasses import replace
from datetime import date, time
from decimal import Decimal
from pathlib import Path

import pytest

from tests.exchange.fakes import DAY, INFY, NIFTY, SBIN, Desk, FakeMarket, Times, quote_of
from trading.domain.orders import Side
from trading.exchange.venue.alert_values import Alert, AlertWish, BasketOrder, Operand
from trading.exchange.venue.alerts import MOST_ALERTS, MOST_ATOS
from trading.exchange.venue.refusals import Refusal

KEY = "simkeyab1001"
LTP = Operand("NSE", "INFY", "LastTradedPrice", INFY.token)
SALE = BasketOrder(
    exchange="NSE",
    tradingsymbol="INFY",
    token=INFY.token,
    side=Side.SELL,
    product="CNC",
    order_type="LIMIT",
    quantity=5,
    price="1500",
    trigger_price="0",
    validity="DAY",
    disclosed_quantity=0,
    tag="ATO",
    protection="0",
    weight=0,
)


def above(price: str, **more: object) -> AlertWish:
    return replace(AlertWish("dear", "simple", LTP, ">=", None, price), **more)  # type: ignore[arg-type]


def ato(*basket: BasketOrder) -> AlertWish:
    return above("1510", type="ato", basket=basket or (SALE,))


def made(desk: Desk, wish: AlertWish, user_id: str = "AB1001") -> str:
    return desk.venue.saved(desk.venue.alerts.create(user_id, KEY, wish)).uuid


def one(desk: Desk, uuid: str) -> Alert:
    return desk.venue.alerts.one("AB1001", uuid)


def test_an_alert_fires_once_and_is_spent() -> None:
    desk = Desk()
    uuid = made(desk, above("1510"))
    desk.tick(quote_of(INFY, "1509.95"))
    before = one(desk, uuid)
    desk.tick(quote_of(INFY, 1510))
    desk.tick(quote_of(INFY, 1520))

    assert (before.status, before.history) == ("enabled", ())
    after = one(desk, uuid)
    assert (after.status, len(after.history)) == ("disabled", 1)
    assert after.history[0].condition == 'LastTradedPrice("NSE:INFY") >= 1510'
    assert [sight.ltp for sight in after.history[0].sights] == [15_100_000]


@pytest.mark.parametrize(
    ("sign", "fires_at"),
    [(">=", {1510, 1511}), (">", {1511}), ("<=", {1509, 1510}), ("<", {1509}), ("==", {1510})],
)
def test_every_operator_compares_as_it_says(sign: str, fires_at: set[int]) -> None:
    fired = set()
    for price in (1509, 1510, 1511):
        desk = Desk()
        uuid = made(desk, above("1510", operator=sign))
        desk.tick(quote_of(INFY, price))
        if one(desk, uuid).history:
            fired.add(price)

    assert fired == fires_at


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("LastTradedPrice", "1530"),
        ("HighPrice", "1535"),
        ("LowPrice", "1525"),
        ("OpenPrice", "1500"),
        ("ClosePrice", "1500"),
        ("DayChange", "30"),
        ("DayChangePercent", "2"),
        ("IntraDayChange", "30"),
        ("IntraDayChangePercent", "2"),
        ("LastTradedQuantity", "10"),
        ("AverageTradePrice", "1530"),
        ("VolumeTraded", "100000"),
        ("OpenInterest", "0"),
        ("OpenInterestDayHigh", "0"),
        ("OpenInterestDayLow", "0"),
    ],
)
def test_every_figure_of_an_instrument_can_be_compared(attribute: str, value: str) -> None:
    desk = Desk()
    figure = replace(LTP, attribute=attribute)
    met, missed = (
        made(desk, above(text, lhs=figure, operator="==")) for text in (value, str(Decimal(value) + Decimal("0.05")))
    )
    desk.tick(quote_of(INFY, 1530))

    assert one(desk, met).status == "disabled"
    assert one(desk, missed).status == "enabled"


@pytest.mark.parametrize("mover", [INFY, SBIN])
def test_an_instrument_on_the_right_is_followed_too(mover: object) -> None:
    desk = Desk()
    right = Operand("NSE", "SBIN", "LastTradedPrice", SBIN.token)
    uuid = made(desk, above("", rhs=right, operator=">"))
    desk.tick(quote_of(INFY, 1500))
    before = one(desk, uuid).status
    desk.tick(quote_of(INFY, 1501) if mover is INFY else quote_of(SBIN, 1499))

    assert before == "enabled"
    (firing,) = one(desk, uuid).history
    assert firing.condition == 'LastTradedPrice("NSE:INFY") > LastTradedPrice("NSE:SBIN")'
    assert [sight.operand.tradingsymbol for sight in firing.sights] == ["INFY", "SBIN"]


def test_an_index_can_be_watched() -> None:
    desk = Desk()
    uuid = made(desk, above("1510", lhs=Operand("INDICES", "NIFTY 50", "LastTradedPrice", NIFTY.token)))
    desk.tick(quote_of(NIFTY, 1511))

    (sight,) = one(desk, uuid).history[0].sights
    assert (sight.last_trade_ms, sight.lower_circuit) == (0, 0)


def test_an_ato_places_its_basket_when_it_fires() -> None:
    desk = Desk()
    market_order = replace(SALE, order_type="MARKET", price="0", product="MIS", side=Side.BUY, tag="MKT")
    off_tick = replace(SALE, price="1500.03", tag="BAD")
    uuid = made(desk, ato(SALE, market_order, off_tick))
    desk.tick(quote_of(INFY, 1510))
    desk.venue.match_pending()

    book = {order.tag: order.status.value for order in desk.venue.books.orders.values()}
    assert book == {"ATO": "COMPLETE", "MKT": "COMPLETE"}
    sold, bought, refused = one(desk, uuid).history[0].placed
    assert {sold.order_id, bought.order_id} == set(desk.venue.books.orders)
    assert refused.order_id == ""
    assert refused.reason.startswith("Tick size for this script is 0.05.")


def test_baskets_of_one_step_are_placed_in_the_order_of_their_contents() -> None:
    def day(wishes: list[AlertWish]) -> str:
        desk = Desk()
        for wish in wishes:
            made(desk, wish)
        desk.tick(quote_of(INFY, 1510, bids=((1510, 4), (1509, 4), (1508, 4))))
        desk.venue.match_pending()
        return desk.venue.ledger_hash()

    wishes = [ato(replace(SALE, quantity=quantity)) for quantity in (2, 3, 5)]

    assert len({day(wishes), day(wishes[::-1]), day([wishes[1], wishes[2], wishes[0]])}) == 1


def test_a_modified_alert_looks_at_what_it_says_now() -> None:
    desk = Desk()
    uuid = made(desk, above("1510"))
    desk.times.go_to(time(10, 5))
    sbin = Operand("NSE", "SBIN", "LastTradedPrice", SBIN.token)
    desk.venue.saved(desk.venue.alerts.modify("AB1001", uuid, above("1520", lhs=sbin)))
    desk.tick(quote_of(INFY, 1530))
    before = one(desk, uuid)
    desk.tick(quote_of(SBIN, 1520))

    assert before.status == "enabled"
    assert before.updated_ms > before.created_ms
    assert one(desk, uuid).status == "disabled"
    with pytest.raises(Refusal, match="cannot be modified as it is disabled"):
        desk.venue.alerts.modify("AB1001", uuid, above("1600"))


def test_a_deleted_alert_is_gone_and_never_fires() -> None:
    desk = Desk()
    first, second, third = (made(desk, ato()) for _ in range(3))
    desk.venue.saved(desk.venue.alerts.delete("AB1001", [first, second]))
    desk.tick(quote_of(INFY, 1510))

    assert [alert.uuid for alert in desk.venue.alerts.listed("AB1001")] == [third]
    assert len(desk.venue.books.orders) == 1
    with pytest.raises(Refusal, match="not found"):
        one(desk, first)


def test_several_are_deleted_all_or_none() -> None:
    desk = Desk()
    uuid, others = made(desk, above("1510")), made(desk, above("1510"), "AB1002")

    for uuids, words in (([uuid, "nobody"], "not found"), ([uuid, others], "not found"), ([], "Missing")):
        with pytest.raises(Refusal, match=words):
            desk.venue.alerts.delete("AB1001", uuids)
    assert one(desk, uuid).status == "enabled"


def test_500_alerts_are_the_most_and_200_with_orders() -> None:
    desk = Desk()
    for _ in range(MOST_ATOS):
        made(desk, ato())
    with pytest.raises(Refusal, match=r"ATO alerts \(200\)"):
        made(desk, ato())
    for _ in range(MOST_ALERTS - MOST_ATOS):
        made(desk, above("1600"))
    with pytest.raises(Refusal, match=r"Maximum allowed alerts \(500\)"):
        made(desk, above("1600"))
    desk.tick(quote_of(INFY, 1510))

    assert made(desk, above("1600"))
    assert made(desk, ato(), "AB1002")


def test_an_alert_is_kept_over_restarts_and_days_and_fires_on_another_one(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    waits, fired = made(desk, ato()), made(desk, above("1505"))
    desk.tick(quote_of(INFY, 1505))
    kept = [one(desk, uuid) for uuid in (waits, fired)]
    desk.venue.close()

    desk = Desk(tmp_path)
    again = [one(desk, uuid) for uuid in (waits, fired)]
    desk.venue.close()
    day = DAY.replace(day=24)
    desk = Desk(tmp_path, market=FakeMarket(day), times=Times(time(9, 20), day))
    desk.tick(quote_of(INFY, 1510))

    assert again == kept
    assert one(desk, waits).history[0].placed[0].order_id in desk.venue.books.orders
    assert made(desk, above("1600")) not in (waits, fired)


def test_a_new_day_disables_what_is_a_year_old_and_what_is_no_longer_listed(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    old = made(desk, above("1510"))
    gone = made(desk, above("", rhs=Operand("NSE", "SBIN", "LastTradedPrice", SBIN.token)))
    desk.venue.close()
    soon, late = date(2026, 11, 24), date(2027, 11, 24)
    market = FakeMarket(soon)
    del market.instruments[SBIN.token]
    desk = Desk(tmp_path, market=market, times=Times(time(9, 15), soon))
    first = [(one(desk, uuid).status, one(desk, uuid).disabled_reason) for uuid in (old, gone)]
    desk.venue.close()
    desk = Desk(tmp_path, market=FakeMarket(late), times=Times(time(9, 15), late))

    assert first == [("enabled", ""), ("disabled", "Instrument is no longer listed.")]
    assert one(desk, old).disabled_reason == "Alert validity of 365 days is over."
