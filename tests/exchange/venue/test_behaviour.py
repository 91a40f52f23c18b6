"""The broker's scripted misbehaviour: late books and rationed fills; and the truth beside it."""

import pytest

from tests.exchange.fakes import DAY, INFY, Desk, FakeMarket, order, quote_of
from trading.domain.orders import Side


def seen(desk: Desk) -> list[tuple[str, int]]:
    return [(state.status.value, state.filled) for _, state in desk.venue.reads.orders("AB1001")]


def test_a_late_book_shows_the_state_of_that_long_ago() -> None:
    desk = Desk()
    desk.venue.behaviour.set({"book_lag_s": 10})
    desk.trade(order(quantity=10))
    at_once = seen(desk), desk.venue.reads.positions("AB1001"), desk.venue.reads.trades("AB1001")

    desk.times.wire_s += 10

    assert at_once == ([], [], [])
    assert seen(desk) == [("COMPLETE", 10)]
    assert [one.net_quantity for one in desk.venue.reads.positions("AB1001")] == [10]
    assert len(desk.venue.reads.trades("AB1001")) == 1


def test_a_late_book_follows_step_by_step() -> None:
    desk = Desk()
    desk.tick(quote_of(INFY, 1500, asks=((1500, 4),)))
    desk.trade(order(quantity=10))
    desk.times.wire_s += 5
    desk.tick(quote_of(INFY, 1500))
    desk.venue.behaviour.set({"book_lag_s": 3})

    assert seen(desk) == [("OPEN", 4)]
    assert [one.net_quantity for one in desk.venue.reads.positions("AB1001")] == [4]


def test_a_fill_schedule_rations_each_tick() -> None:
    desk = Desk()
    desk.venue.behaviour.set({"fill_schedule": [37, 0, 100]})

    placed = desk.venue.books.orders[desk.trade(order(quantity=100))]
    filled = [placed.filled]
    for _ in range(2):
        desk.tick(quote_of(INFY, 1500))
        filled.append(placed.filled)

    assert filled == [37, 37, 100]
    assert placed.status == "COMPLETE"


def test_the_last_entry_of_a_fill_schedule_holds() -> None:
    desk = Desk()
    desk.venue.behaviour.set({"fill_schedule": [37, 0]})

    placed = desk.venue.books.orders[desk.trade(order(quantity=100))]
    for _ in range(5):
        desk.tick(quote_of(INFY, 1500))

    assert (placed.status, placed.filled) == ("OPEN", 37)


@pytest.mark.parametrize(
    "wish",
    [
        {"book_lag_s": -1},
        {"book_lag_s": float("nan")},
        {"book_lag_s": float("inf")},
        {"book_lag_s": 3, "fill_schedule": [101]},
        {"fill_schedule": "all"},
        {"x": 1},
    ],
)
def test_a_bad_behaviour_is_refused_and_changes_nothing(wish: dict[str, object]) -> None:
    behaviour = Desk().venue.behaviour

    with pytest.raises(ValueError, match=r"must be"):
        behaviour.set(wish)
    assert behaviour.set({}) == {"book_lag_s": 0.0, "fill_schedule": [], "latency": {}}


def test_a_late_book_closes_what_was_carried_overnight_at_its_own_cost() -> None:
    desk = Desk()
    desk.trade(order(quantity=3))
    desk.tick(quote_of(INFY, 1501))
    desk.trade(order(quantity=4))
    desk.venue.begin_day(FakeMarket(DAY.replace(day=25)))
    desk.trade(order(Side.SELL, 3))
    (truth,) = desk.venue.reads.positions("AB1001")
    desk.venue.behaviour.set({"book_lag_s": 5})
    desk.times.wire_s += 5

    (late,) = desk.venue.reads.positions("AB1001")

    assert (late.net_quantity, late.overnight_value, late.realised) == (4, truth.overnight_value, truth.realised)


def test_the_truth_is_json_with_money_as_strings() -> None:
    desk = Desk()
    desk.trade(order(tag="T"))

    truth = desk.venue.ledger_truth()["AB1001"]

    assert truth["cash"] == "1000000.00"
    assert truth["realised_pnl"] == "0.00"
    assert truth["trades"][0]["price"] == "1500.00"
    assert truth["positions"] == [
        {
            "instrument": "NSE:INFY",
            "product": "MIS",
            "net_quantity": 10,
            "overnight_quantity": 0,
            "buy_quantity": 10,
            "buy_value": "15000.00",
            "sell_quantity": 0,
            "sell_value": "0.00",
            "realised_pnl": "0.00",
        }
    ]
    assert truth["orders"][0]["placed_at"] == "2026-11-23T10:00:00+05:30"


def test_the_truth_says_of_a_plain_order_what_it_always_said_and_more_of_the_others() -> None:
    desk = Desk()
    desk.trade(order(tag="T"))
    desk.trade(order(quantity=20, tag="U", variety="iceberg", iceberg_legs=2, iceberg_quantity=10))

    plain, leg, _ = desk.venue.ledger_truth()["AB1001"]["orders"]

    assert set(leg) - set(plain) == {"variety", "leg"}
    assert leg["leg"] == [1, 2, 10, 20]
