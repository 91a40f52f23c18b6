"""Orders of every variety, placed, changed and read by the unmodified SDK."""

from datetime import time
from typing import Any

import pytest
from kiteconnect import exceptions as kite_errors

from tests.exchange.fakes import FUTURE, INFY, SBIN, Desk, Times, quote_of, scaled
from tests.exchange.kite.samples import ORDER
from tests.exchange.kite.served import Served, serving
from tests.mocks import mock_data, needs_mocks

SLICED = ORDER | {"exchange": "NFO", "tradingsymbol": FUTURE.tradingsymbol, "product": "NRML", "quantity": 3675}
ICEBERG = ORDER | {"variety": "iceberg", "quantity": 100, "iceberg_legs": 5, "iceberg_quantity": 20}
COVER = ORDER | {"variety": "co", "order_type": "MARKET", "price": None, "market_protection": -1, "trigger_price": 1480}


async def rows(served: Served) -> list[dict[str, Any]]:
    return list(await served.call(served.kite().orders))


async def test_an_autosliced_order_answers_with_its_children_and_their_errors() -> None:
    desk = Desk()
    desk.venue.books.accounts["AB1001"].cash = scaled(600_000)
    async with serving(desk) as served:
        reply = await served.call(served.kite().place_autoslice_order, **SLICED | {"tag": "BIG"})
        book = await rows(served)

    assert [list(one) for one in reply["children"]] == [["order_id"], ["error"], ["order_id"]]
    assert reply["children"][1]["error"] == {
        "code": 400,
        "error_type": "MarginException",
        "message": "Insufficient funds. Required margin is 540000.00 but available margin is 60000.00.",
        "data": None,
    }
    assert {row["order_id"] for row in book} == {one["order_id"] for one in reply["children"] if "order_id" in one}
    assert [row["tags"] for row in book] == [["BIG", "autoslice", f"autoslice:{reply['order_id']}"]] * 2
    assert [(row["quantity"], row["status"], row["parent_order_id"]) for row in book] == [
        (1800, "COMPLETE", None),
        (75, "COMPLETE", None),
    ]


@needs_mocks
async def test_an_autosliced_reply_has_the_shape_of_the_brokers() -> None:
    mock = mock_data("autoslice_response.json")
    desk = Desk()
    desk.venue.books.accounts["AB1001"].cash = scaled(600_000)
    async with serving(desk) as served:
        reply = await served.call(served.kite().place_autoslice_order, **SLICED)

    assert reply.keys() == mock.keys()
    error = next(one["error"] for one in mock["children"] if "error" in one)
    ours = next(one["error"] for one in reply["children"] if "error" in one)
    assert {name: type(value) for name, value in ours.items()} == {name: type(value) for name, value in error.items()}


async def test_below_the_freeze_quantity_there_is_nothing_to_slice() -> None:
    async with serving() as served:
        with pytest.raises(kite_errors.InputException, match="greater than or equal to 1800 for order slicing"):
            await served.call(served.kite().place_autoslice_order, **SLICED | {"quantity": 75})

        assert await rows(served) == []


async def test_an_iceberg_gives_its_first_legs_id_and_the_others_follow() -> None:
    async with serving() as served:
        order_id = await served.call(served.kite().place_order, **ICEBERG | {"tag": "ICE"})
        book = await rows(served)

    assert [(row["variety"], row["quantity"], row["status"]) for row in book] == [("iceberg", 20, "COMPLETE")] * 5
    assert book[0]["order_id"] == order_id
    assert [row["parent_order_id"] for row in book] == [None, *[order_id] * 4]
    assert [row["meta"]["iceberg"]["leg"] for row in book] == [1, 2, 3, 4, 5]
    assert book[0]["meta"]["iceberg"] == {
        "leg": 1,
        "legs": 5,
        "leg_quantity": 20,
        "total_quantity": 100,
        "remaining_quantity": 80,
    }


@needs_mocks
async def test_an_iceberg_with_minutes_looks_as_the_brokers() -> None:
    book = mock_data("orders.json")
    mock = next(row for row in book if row["variety"] == "iceberg")
    async with serving() as served:
        wish = ICEBERG | {
            "quantity": 1000,
            "iceberg_quantity": 200,
            "price": 1490,
            "product": "CNC",
            "tag": "icebergord",
        }
        await served.call(served.kite().place_order, **wish | {"validity": "TTL", "validity_ttl": 2})
        (row,) = await rows(served)

    assert mock.keys() <= row.keys()
    names = ("variety", "validity", "validity_ttl", "quantity", "meta", "parent_order_id", "tag", "tags")
    assert {name: row[name] for name in names} == {name: mock[name] for name in names}


async def test_every_leg_counts_to_the_days_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trading.exchange.kite.limits.ORDERS_PER_DAY", 12)
    async with serving() as served:
        kite = served.kite()
        await served.call(kite.place_order, **ICEBERG)
        await served.call(kite.place_order, **ICEBERG)
        with pytest.raises(kite_errors.NetworkException, match="Maximum allowed order requests exceeded"):
            await served.call(kite.place_order, **ICEBERG)
        book = await rows(served)

    assert len(book) == 10


async def test_a_leg_of_one_is_an_input_error() -> None:
    async with serving() as served:
        with pytest.raises(kite_errors.InputException) as refused:
            await served.call(served.kite().place_order, **ICEBERG | {"iceberg_legs": 1, "iceberg_quantity": 100})

    assert refused.value.code == 400


async def test_a_validity_in_minutes_lapses_as_cancelled() -> None:
    async with serving() as served:
        wish = ORDER | {"price": 1490, "validity": "TTL", "validity_ttl": 3, "disclosed_quantity": 5}
        await served.call(served.kite().place_order, **wish)
        (waiting,) = await rows(served)
        served.desk.times.go_to(time(10, 3))
        served.tick(quote_of(SBIN, 1500))
        (lapsed,) = await rows(served)

    assert (waiting["status"], waiting["validity"], waiting["validity_ttl"]) == ("OPEN", "TTL", 3)
    assert waiting["disclosed_quantity"] == 5
    assert (lapsed["status"], lapsed["cancelled_quantity"], lapsed["filled_quantity"]) == ("CANCELLED", 10, 0)


async def test_an_after_market_order_is_taken_changed_and_cancelled_in_the_evening() -> None:
    async with serving(Desk(times=Times(time(16, 0)))) as served:
        kite = served.kite()
        order_id = await served.call(kite.place_order, **ORDER | {"variety": "amo"})
        (taken,) = await rows(served)
        with pytest.raises(kite_errors.InputException, match="Invalid `variety`"):
            await served.call(kite.cancel_order, "regular", order_id)
        await served.call(kite.modify_order, "amo", order_id, price=1490)
        (changed,) = await rows(served)
        await served.call(kite.cancel_order, "amo", order_id)
        (ended,) = await rows(served)

    assert (taken["status"], taken["variety"], taken["exchange_order_id"]) == ("AMO REQ RECEIVED", "amo", None)
    assert (changed["status"], changed["price"], changed["modified"]) == ("MODIFY AMO REQ RECEIVED", 1490.0, True)
    assert (ended["status"], ended["exchange_timestamp"]) == ("CANCELLED", None)


async def test_after_the_open_an_after_market_order_is_a_regular_one_that_still_shows_amo() -> None:
    desk = Desk(times=Times(time(8, 30)))
    async with serving(desk) as served:
        kite = served.kite()
        order_id = await served.call(kite.place_order, **ORDER | {"variety": "amo", "price": 1490})
        desk.times.go_to(time(9, 15))
        served.tick(quote_of(INFY, 1500))
        desk.venue.match_pending()
        (opened,) = await rows(served)
        with pytest.raises(kite_errors.InputException, match="Invalid `variety`"):
            await served.call(kite.modify_order, "amo", order_id, price=1491)
        await served.call(kite.modify_order, "regular", order_id, price=1491)
        await served.call(kite.cancel_order, "regular", order_id)
        (ended,) = await rows(served)

    assert (opened["status"], opened["variety"]) == ("OPEN", "amo")
    assert (ended["status"], ended["price"], ended["variety"]) == ("CANCELLED", 1491.0, "amo")


async def test_an_after_market_order_is_refused_while_the_market_trades() -> None:
    async with serving() as served:
        with pytest.raises(kite_errors.InputException, match=r"After market orders \(AMO\)"):
            await served.call(served.kite().place_order, **ORDER | {"variety": "amo"})


async def test_a_cover_order_is_entered_moved_and_exited() -> None:
    async with serving() as served:
        kite = served.kite()
        entry_id = await served.call(kite.place_order, **COVER)
        entry, stop = await rows(served)
        await served.call(kite.modify_order, "co", stop["order_id"], parent_order_id=entry_id, trigger_price=1490)
        _, moved = await rows(served)
        with pytest.raises(kite_errors.InputException, match="cannot be cancelled"):
            await served.call(kite.cancel_order, "co", stop["order_id"])
        exited = await served.call(kite.exit_order, "co", stop["order_id"], parent_order_id=entry_id)
        _, gone = await rows(served)
        (net,) = (await served.call(kite.positions))["net"]

    assert (entry["order_id"], entry["product"], entry["variety"], entry["status"]) == (
        entry_id,
        "CO",
        "co",
        "COMPLETE",
    )
    assert (stop["parent_order_id"], stop["status"], stop["trigger_price"]) == (entry_id, "TRIGGER PENDING", 1480.0)
    assert (moved["status"], moved["trigger_price"]) == ("TRIGGER PENDING", 1490.0)
    assert (exited, gone["status"], gone["average_price"]) == (stop["order_id"], "COMPLETE", 1500.0)
    assert (net["product"], net["quantity"]) == ("CO", 0)


async def test_the_trigger_range_names_what_can_be_covered() -> None:
    async with serving() as served:
        kite = served.kite()
        buy = await served.call(kite.trigger_range, "BUY", "NSE:INFY", "NSE:NOPE", "NSE:NIFTY 50")
        sell = await served.call(kite.trigger_range, "sell", ["NSE:INFY"])
        with pytest.raises(kite_errors.InputException, match="transaction_type"):
            await served.call(kite.trigger_range, "hold", "NSE:INFY")

    assert buy == {"NSE:INFY": {"instrument_token": INFY.token, "lower": 1350.0, "upper": 1500.0}}
    assert sell == {"NSE:INFY": {"instrument_token": INFY.token, "lower": 1500.0, "upper": 1650.0}}


async def test_an_offer_in_the_auction_uses_the_number_of_the_list() -> None:
    async with serving(Desk(times=Times(time(14, 30)))) as served:
        kite = served.kite()
        (listed,) = await served.call(kite.get_auction_instruments)
        wish = ORDER | {"variety": "auction", "transaction_type": "SELL", "product": "CNC", "price": 1400}
        order_id = await served.call(kite.place_order, **wish | {"auction_number": listed["auction_number"]})
        (waiting,) = await rows(served)
        served.desk.times.go_to(time(15))
        served.tick(quote_of(SBIN, 1500))
        (sold,) = await rows(served)

    assert (waiting["order_id"], waiting["status"], waiting["variety"]) == (order_id, "OPEN", "auction")
    assert waiting["auction_number"] == listed["auction_number"]
    assert (sold["status"], sold["filled_quantity"]) == ("COMPLETE", 10)


async def test_an_order_is_changed_by_its_own_variety_only() -> None:
    async with serving() as served:
        kite = served.kite()
        order_id = await served.call(kite.place_order, **ORDER | {"price": 1490})
        for variety in ("amo", "co", "iceberg", "bo"):
            with pytest.raises(kite_errors.InputException, match="Invalid `variety`"):
                await served.call(kite.cancel_order, variety, order_id)
        (row,) = await rows(served)

    assert row["status"] == "OPEN"
