"""Triggers: when they are taken, when they fire, what they place, and what is left of them over the days."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, time
from pathlib import Path

import pytest

from tests.exchange.fakes import DAY, FUTURE, INFY, NIFTY, SBIN, Desk, FakeMarket, Times, quote_of, scaled
from trading.domain.instruments import Instrument
from trading.domain.orders import Side
from trading.exchange.venue.gtt import MOST_ACTIVE
from trading.exchange.venue.gtt_values import Gtt, GttOrder, GttStatus, GttType, GttWish
from trading.exchange.venue.refusals import Refusal

BUY, SELL = Side.BUY, Side.SELL
KEY = "simkeyab1001"


def single(value: str | int, *, last: str | int = 1500, instrument: Instrument = INFY, **more: object) -> GttWish:
    order = GttOrder(**{"side": BUY, "quantity": 10, "product": "CNC", "price": scaled(value)} | more)  # type: ignore[arg-type]
    return GttWish(GttType.SINGLE, instrument, (scaled(value),), scaled(last), (order,))


def two_leg(lower: str | int, upper: str | int, *, last: str | int = 1500) -> GttWish:
    orders = tuple(GttOrder(SELL, 10, "CNC", scaled(price)) for price in (lower, upper))
    return GttWish(GttType.TWO_LEG, INFY, (scaled(lower), scaled(upper)), scaled(last), orders)


def placed(desk: Desk, wish: GttWish, user_id: str = "AB1001") -> int:
    return desk.venue.saved(desk.venue.gtt.place(user_id, KEY, wish)).trigger_id


def one(desk: Desk, trigger_id: int) -> Gtt:
    return desk.venue.gtt.one("AB1001", trigger_id)


def orders(desk: Desk) -> list[tuple[str, str, int]]:
    desk.venue.match_pending()
    return [(o.side.value, o.status.value, o.terms.price) for o in desk.venue.books.orders.values()]


def test_a_trigger_below_the_price_fires_when_the_price_has_fallen_to_it() -> None:
    desk = Desk()
    trigger_id = placed(desk, single(1490))
    desk.tick(quote_of(INFY, "1490.05"))
    before = orders(desk)
    desk.tick(quote_of(INFY, 1490))

    assert before == []
    assert orders(desk) == [("BUY", "COMPLETE", scaled(1490))]
    gtt = one(desk, trigger_id)
    assert gtt.status is GttStatus.TRIGGERED
    assert gtt.result is not None
    assert (gtt.result.triggered_at, gtt.result.reason) == (scaled(1490), "")
    assert gtt.result.order_id in desk.venue.books.orders


def test_a_trigger_above_the_price_fires_when_the_price_has_jumped_over_it() -> None:
    desk = Desk()
    trigger_id = placed(desk, single(1510, price=scaled(1520)))
    desk.tick(quote_of(INFY, "1509.95"))
    before = orders(desk)
    desk.tick(quote_of(INFY, 1515))

    assert before == []
    assert orders(desk) == [("BUY", "COMPLETE", scaled(1520))]
    result = one(desk, trigger_id).result
    assert result is not None
    assert result.triggered_at == scaled(1515)


def test_a_trigger_fires_once() -> None:
    desk = Desk()
    placed(desk, single(1490))
    desk.tick(quote_of(INFY, 1480))
    desk.tick(quote_of(INFY, 1479))

    assert len(orders(desk)) == 1


@pytest.mark.parametrize(("price", "leg"), [(1480, 0), (1530, 1)])
def test_of_two_legs_the_one_that_is_met_counts_and_the_other_is_over(price: int, leg: int) -> None:
    desk = Desk()
    trigger_id = placed(desk, two_leg(1480, 1530))
    desk.tick(quote_of(INFY, price))
    desk.venue.match_pending()
    desk.tick(quote_of(INFY, 1530 if leg == 0 else 1480))

    assert orders(desk) == [("SELL", "COMPLETE", scaled(price))]
    result = one(desk, trigger_id).result
    assert result is not None
    assert result.leg == leg


def test_an_order_that_the_desk_refuses_leaves_its_reason() -> None:
    desk = Desk()
    trigger_id = placed(desk, single(1490, price=scaled(1000)))
    desk.tick(quote_of(INFY, 1490))

    assert orders(desk) == []
    gtt = one(desk, trigger_id)
    assert gtt.status is GttStatus.TRIGGERED
    assert gtt.result is not None
    assert gtt.result.order_id == ""
    assert gtt.result.reason.startswith("Your order price is lower than the current lower circuit limit of 1350.00")


def test_an_order_without_funds_is_rejected_in_the_book() -> None:
    desk = Desk()
    trigger_id = placed(desk, single(1490, quantity=1000))
    desk.tick(quote_of(INFY, 1490))

    assert [status for _, status, _ in orders(desk)] == ["REJECTED"]
    result = one(desk, trigger_id).result
    assert result is not None
    assert result.order_id


def test_nothing_fires_outside_the_session() -> None:
    desk = Desk()
    trigger_id = placed(desk, single(1490))
    desk.times.go_to(time(15, 20))
    desk.tick(quote_of(INFY, 1480))

    assert orders(desk) == []
    assert one(desk, trigger_id).status is GttStatus.ACTIVE


def test_triggers_of_one_step_fire_in_the_order_of_their_contents() -> None:
    def day(wishes: list[GttWish]) -> str:
        desk = Desk()
        for wish in wishes:
            placed(desk, wish)
        desk.tick(quote_of(INFY, 1470, asks=((1470, 12), (1471, 30))))
        desk.venue.match_pending()
        return desk.venue.ledger_hash()

    wishes = [single(1480), single(1490), single(1490, quantity=20)]

    assert len({day(wishes), day(wishes[::-1]), day([wishes[1], wishes[2], wishes[0]])}) == 1


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (single(1490, product="MIS"), "Invalid `product`"),
        (single(1490, product="NRML", instrument=INFY), "Invalid `product`"),
        (single(1490, instrument=FUTURE), "NRML only"),
        (single(1490, instrument=NIFTY), "index"),
        (single(1500), "last price itself"),
        (single("1499.95"), "too close"),
        (single("1496.30"), "too close"),
        (single(1490, last=1480), "Trigger already met"),
        (single(1510, last=1520), "Trigger already met"),
        (two_leg(1510, 1530), "between the two"),
        (two_leg(1480, 1490), "between the two"),
        (two_leg(1530, 1480), "between the two"),
        (two_leg(1480, 1490, last=1485), "Trigger already met"),
    ],
)
def test_a_trigger_that_makes_no_sense_is_refused(wish: GttWish, words: str) -> None:
    desk = Desk()

    with pytest.raises(Refusal, match=words):
        placed(desk, wish)

    assert desk.venue.gtt.listed("AB1001") == []


def test_a_quarter_of_a_percent_is_far_enough_and_nine_paise_below_fifty_rupees() -> None:
    desk = Desk()
    placed(desk, single("1496.25"))
    desk.market.put(quote_of(SBIN, 40, circuits=(30, 50)))
    placed(desk, single("39.90", last=40, instrument=SBIN))

    with pytest.raises(Refusal, match="too close"):
        placed(desk, single("39.95", last=40, instrument=SBIN))


def test_a_derivative_is_carried_as_nrml() -> None:
    desk = Desk()

    assert placed(desk, single(1490, instrument=FUTURE, product="NRML", quantity=75))


def test_an_account_has_no_more_than_250_active_ones() -> None:
    desk = Desk()
    ids = [placed(desk, single(1490)) for _ in range(MOST_ACTIVE)]
    with pytest.raises(Refusal, match="Maximum allowed active GTTs"):
        placed(desk, single(1490))
    desk.venue.gtt.delete("AB1001", ids[0])

    assert placed(desk, single(1490)) not in ids
    assert placed(desk, single(1490), "AB1002")


def test_a_modified_trigger_waits_for_its_new_value() -> None:
    desk = Desk()
    trigger_id = placed(desk, single(1490))
    desk.times.go_to(time(10, 5))
    desk.venue.saved(desk.venue.gtt.modify("AB1001", trigger_id, single(1480, quantity=7)))
    desk.tick(quote_of(INFY, 1485))
    before = orders(desk)
    desk.tick(quote_of(INFY, 1480))

    assert before == []
    assert orders(desk) == [("BUY", "COMPLETE", scaled(1480))]
    gtt = one(desk, trigger_id)
    assert gtt.expires_ms - gtt.created_ms == 365 * 24 * 3600 * 1000
    assert gtt.updated_ms > gtt.created_ms


def test_type_and_instrument_of_a_trigger_stay() -> None:
    desk = Desk()
    trigger_id = placed(desk, single(1490))

    for wish in (two_leg(1480, 1530), single(1490, instrument=SBIN)):
        with pytest.raises(Refusal, match="cannot be modified"):
            desk.venue.gtt.modify("AB1001", trigger_id, wish)


def test_what_is_over_can_be_neither_changed_nor_deleted() -> None:
    desk = Desk()
    trigger_id = placed(desk, single(1490))
    desk.venue.saved(desk.venue.gtt.delete("AB1001", trigger_id))
    desk.tick(quote_of(INFY, 1480))

    assert orders(desk) == []
    attempts: list[Callable[[], Gtt]] = [
        lambda: desk.venue.gtt.delete("AB1001", trigger_id),
        lambda: desk.venue.gtt.modify("AB1001", trigger_id, single(1490)),
    ]
    for attempt in attempts:
        with pytest.raises(Refusal, match="not active, it is deleted"):
            attempt()


def test_one_users_trigger_is_not_anothers() -> None:
    desk = Desk()
    trigger_id = placed(desk, single(1490))

    for attempt in (desk.venue.gtt.one, desk.venue.gtt.delete):
        with pytest.raises(Refusal, match="Trigger not found"):
            attempt("AB1003", trigger_id)
    assert desk.venue.gtt.listed("AB1003") == []


@pytest.mark.parametrize("status", ["disabled", "cancelled", "rejected"])
def test_the_broker_can_end_a_trigger(status: str) -> None:
    desk = Desk()
    trigger_id = placed(desk, single(1490))
    desk.venue.end_gtt(trigger_id, status)
    desk.tick(quote_of(INFY, 1480))

    assert orders(desk) == []
    assert one(desk, trigger_id).status == status
    for again in (status, "triggered"):
        with pytest.raises(ValueError, match="must be"):
            desk.venue.end_gtt(trigger_id, again)


def test_a_trigger_is_kept_over_restarts_and_days_and_fires_on_another_one(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    first, second = placed(desk, two_leg(1480, 1530)), placed(desk, single(1450))
    kept = one(desk, first)
    desk.venue.close()
    desk = Desk(tmp_path)
    again = one(desk, first)
    desk.venue.close()

    day = DAY.replace(day=24)
    desk = Desk(tmp_path, market=FakeMarket(day), times=Times(time(9, 20), day))
    desk.tick(quote_of(INFY, 1530))

    assert again == kept
    assert orders(desk) == [("SELL", "COMPLETE", scaled(1530))]
    assert one(desk, first).status is GttStatus.TRIGGERED
    assert one(desk, second).status is GttStatus.ACTIVE
    assert placed(desk, single(1490, last=1530)) == second + 1


def test_the_list_has_its_order_after_a_restart_too(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    first, second = placed(desk, single(1490)), placed(desk, single(1480))
    desk.venue.saved(desk.venue.gtt.modify("AB1001", first, single(1470)))
    before = [gtt.trigger_id for gtt in desk.venue.gtt.listed("AB1001")]
    desk.venue.close()

    assert before == [second, first]
    assert [gtt.trigger_id for gtt in Desk(tmp_path).venue.gtt.listed("AB1001")] == before


def test_order_and_trigger_are_on_disk_together(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    trigger_id = placed(desk, single(1490))
    desk.tick(quote_of(INFY, 1490))
    desk.venue.close()

    desk = Desk(tmp_path)

    assert one(desk, trigger_id).status is GttStatus.TRIGGERED
    assert orders(desk) == [("BUY", "OPEN", scaled(1490))]  # the market of this day stands at 1500 again


def test_the_list_shows_the_active_ones_and_seven_days_of_the_others(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    over, waits = placed(desk, single(1490)), placed(desk, single(1480))
    desk.venue.saved(desk.venue.gtt.delete("AB1001", over))
    listed = {}
    for passed in (0, 6, 8):
        desk.times.go_to(time(9, 30), date.fromordinal(DAY.toordinal() + passed))
        listed[passed] = [(gtt.trigger_id, gtt.status.value) for gtt in desk.venue.gtt.listed("AB1001")]

    assert listed[0] == listed[6] == [(waits, "active"), (over, "deleted")]
    assert listed[8] == [(waits, "active")]
    assert one(desk, over).status is GttStatus.DELETED


def test_a_trigger_expires_after_a_year(tmp_path: Path) -> None:
    def next_year(moment: time, day: date) -> Desk:
        return Desk(tmp_path, market=FakeMarket(day), times=Times(moment, day))

    desk = Desk(tmp_path)
    trigger_id = placed(desk, single(1490))
    desk.venue.close()
    desk = next_year(time(9, 15), date(2027, 11, 23))
    day_before = one(desk, trigger_id).status
    desk.times.go_to(time(10, 0), date(2027, 11, 23))
    desk.tick(quote_of(INFY, 1480))
    fired = orders(desk)

    assert day_before is GttStatus.ACTIVE
    assert fired == []
    assert one(desk, trigger_id).status is GttStatus.EXPIRED
    desk.venue.close()


def test_a_new_day_ends_what_is_a_year_old_and_what_is_no_longer_listed(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    old, gone = placed(desk, single(1490)), placed(desk, single(1490, instrument=SBIN))
    desk.venue.close()
    soon, late = date(2026, 11, 24), date(2027, 11, 24)
    market = FakeMarket(soon)
    del market.instruments[SBIN.token]
    desk = Desk(tmp_path, market=market, times=Times(time(9, 15), soon))
    statuses = one(desk, old).status, one(desk, gone).status
    desk.venue.close()
    desk = Desk(tmp_path, market=FakeMarket(late), times=Times(time(9, 15), late))

    assert statuses == (GttStatus.ACTIVE, GttStatus.CANCELLED)
    assert one(desk, old).status is GttStatus.EXPIRED


def test_a_derivatives_trigger_ends_with_the_contract() -> None:
    desk = Desk()
    dated = replace(FUTURE, expiry=date(2026, 11, 24))
    desk.market.instruments[FUTURE.token] = dated
    trigger_id = placed(desk, single(1490, instrument=dated, product="NRML", quantity=75))
    day = date(2026, 11, 25)
    desk.times.go_to(time(9, 15), day)
    desk.venue.begin_day(FakeMarket(day))

    assert one(desk, trigger_id).status is GttStatus.EXPIRED
