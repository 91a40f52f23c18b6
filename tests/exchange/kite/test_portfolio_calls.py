"""Profile, margins, positions and holdings over the wire, and their arithmetic against Zerodha's own rows."""

from typing import Any

import pytest
from kiteconnect import exceptions as kite_errors

from tests.exchange.fakes import DAY, FUTURE, INFY, SBIN, FakeMarket, limit, order, quote_of, scaled
from tests.exchange.kite.served import Served, serving
from tests.mocks import mock_data
from trading.domain.instruments import Instrument, InstrumentType
from trading.domain.orders import Side
from trading.exchange.kite.shapes import holdings, portfolio
from trading.exchange.venue.accounts import Holding
from trading.exchange.venue.positions import Position

CONVERSION = {
    "exchange": "NSE",
    "tradingsymbol": "INFY",
    "transaction_type": "BUY",
    "position_type": "day",
    "quantity": 10,
    "old_product": "MIS",
    "new_product": "CNC",
}


async def raw(served: Served, method: str, path: str, **more: Any) -> Any:
    """Make a call that the SDK has no method for, and give its whole answer."""
    kite = served.kite()
    headers = {"Authorization": f"token {kite.api_key}:{kite.access_token}"}
    reply = await served.call(kite.reqsession.request, method, f"{served.rest}{path}", headers=headers, **more)
    return reply.json()


def theirs(row: dict[str, Any]) -> tuple[Position, Any]:
    """Rebuild the position of one of their rows, with its quote: what was carried, then what was traded today."""
    instrument = Instrument(
        row["exchange"], row["tradingsymbol"], row["instrument_token"], INFY.tick_size, 1, InstrumentType.FUT
    )
    position = Position(instrument, row["product"])
    if row["overnight_quantity"]:
        cost = (row["buy_value"] - row["day_buy_value"]) // row["overnight_quantity"]
        position.carry([(row["overnight_quantity"], scaled(cost))])
    for side, word in ((Side.BUY, "buy"), (Side.SELL, "sell")):
        if row[f"day_{word}_quantity"]:
            position.apply(side, row[f"day_{word}_quantity"], scaled(str(row[f"day_{word}_price"])))
    return position, quote_of(instrument, str(row["last_price"]), close=str(row["close_price"]))


def test_net_and_day_rows_have_zerodhas_arithmetic() -> None:
    data = mock_data("positions.json")
    not_ours = {"multiplier", "realised", "unrealised"}  # theirs keeps realised at 0; their first row counts in lots

    for row in data["net"][1:]:
        position, quote = theirs(row)
        ours = portfolio.position_row(position, quote)
        assert {key: ours[key] for key in row.keys() - not_ours} == {key: row[key] for key in row.keys() - not_ours}
        assert ours["realised"] + ours["unrealised"] == row["unrealised"]
        day = portfolio.day_part(position)
        assert day is not None
        (their_day,) = [one for one in data["day"] if one["tradingsymbol"] == row["tradingsymbol"]]
        our_day = portfolio.position_row(day, quote)
        keys = their_day.keys() - not_ours
        assert {key: our_day[key] for key in keys} == {key: their_day[key] for key in keys}


def test_the_summary_has_zerodhas_arithmetic() -> None:
    data = mock_data("holdings_summary.json")
    today, invested, value = (scaled(f"{data[key]:.4f}") for key in ("today_pnl", "invested_amount", "current_value"))
    # one unit of a share that is worth all of it
    whole = quote_of(INFY, f"{data['current_value']:.4f}", close=f"{data['current_value'] - data['today_pnl']:.4f}")
    ours = holdings.summary([(Holding(INFY, 1, invested), whole, 0)])

    assert ours["total_pnl"] == pytest.approx(data["total_pnl"], abs=1e-3)
    assert ours["total_pnl_percent"] == pytest.approx(data["total_pnl_percent"], abs=1e-6)
    assert ours["today_pnl"] == pytest.approx(today / 10_000)
    assert ours["today_pnl_percent"] == pytest.approx(data["today_pnl_percent"], abs=1e-6)
    assert ours["current_value"] == value / 10_000


async def test_a_position_is_converted_through_the_sdk_and_total_pnl_stays() -> None:
    async with serving() as served:
        kite = served.kite()
        served.desk.trade(order(quantity=10))
        served.tick(quote_of(INFY, 1510))
        (before,) = (await served.call(kite.positions))["net"]
        answer = await served.call(kite.convert_position, **CONVERSION | {"quantity": 4})
        rows = {row["product"]: row for row in (await served.call(kite.positions))["net"]}
        equity = await served.call(kite.margins, "equity")

    assert answer is True
    assert (rows["MIS"]["quantity"], rows["CNC"]["quantity"]) == (6, 4)
    assert (rows["CNC"]["average_price"], rows["CNC"]["pnl"]) == (1500.0, 40.0)
    assert rows["MIS"]["pnl"] + rows["CNC"]["pnl"] == before["pnl"] == 100.0
    assert (equity["utilised"]["exposure"], equity["utilised"]["delivery"]) == (1800.0, 6000.0)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"exchange": ""}, "Missing or empty field `exchange`"),
        ({"tradingsymbol": "NOPE"}, "Invalid `tradingsymbol`"),
        ({"transaction_type": "HOLD"}, "Invalid `transaction_type`"),
        ({"position_type": "yesterday"}, "Invalid `position_type`"),
        ({"quantity": "1e1"}, "Invalid `quantity`"),
        ({"quantity": -1}, "Invalid `quantity`"),
        ({"quantity": "٣"}, "Invalid `quantity`"),
        ({"new_product": "NRML"}, "Invalid `new_product`"),
        ({"quantity": 11}, "Only 10 of the position can be converted"),
    ],
)
async def test_a_conversion_that_cannot_be_is_an_input_exception(change: dict[str, Any], words: str) -> None:
    async with serving() as served:
        served.desk.trade(order(quantity=10))
        with pytest.raises(kite_errors.InputException, match=words):
            await served.call(served.kite().convert_position, **CONVERSION | change)

        assert served.desk.venue.books.accounts["AB1001"].net_quantity(INFY.token, "MIS") == 10


async def test_a_conversion_without_the_money_has_the_brokers_error_type() -> None:
    async with serving() as served:
        served.desk.trade(limit(Side.BUY, 2000, 1500))
        form = CONVERSION | {"quantity": "2000"}
        answer = await raw(served, "PUT", "/portfolio/positions", data=form)

    assert (answer["status"], answer["error_type"]) == ("error", "MarginException")
    assert answer["message"].startswith("Insufficient funds. Required margin is 2400000.00 but available margin is")


async def test_margins_show_apart_what_the_money_is_blocked_for() -> None:
    async with serving() as served:
        kite = served.kite()
        served.desk.trade(order(quantity=10))
        served.desk.trade(order(quantity=5, product="CNC", instrument=SBIN))
        served.desk.trade(order(quantity=75, product="NRML", instrument=FUTURE))
        served.desk.trade(limit(Side.BUY, 10, 1490))
        equity = await served.call(kite.margins, "equity")

    used = equity["utilised"]
    assert (used["exposure"], used["delivery"], used["span"]) == (3000.0 + 2980.0, 7500.0, 22500.0)
    assert used["debits"] == used["exposure"] + used["delivery"] + used["span"] - used["m2m_realised"]
    assert equity["net"] == equity["available"]["live_balance"] == 1_000_000 - used["debits"]


async def test_margins_of_an_unknown_segment_are_refused() -> None:
    async with serving() as served:
        assert (await raw(served, "GET", "/user/margins/currency"))["message"] == "Invalid `segment`."


async def test_holdings_tell_what_is_settled_what_is_t1_and_what_was_sold() -> None:
    async with serving() as served:
        kite = served.kite()
        served.desk.trade(order(quantity=30, product="CNC"))
        served.desk.market = FakeMarket(DAY.replace(day=24))
        served.desk.venue.begin_day(served.desk.market)
        (morning,) = await served.call(kite.holdings)
        served.desk.trade(order(Side.SELL, 25, product="CNC"))
        served.tick(quote_of(INFY, 1510))
        (sold,) = await served.call(kite.holdings)
        compact = (await raw(served, "GET", "/portfolio/holdings/compact"))["data"]
        summary = (await raw(served, "GET", "/portfolio/holdings/summary"))["data"]

    columns = ("quantity", "t1_quantity", "used_quantity", "realised_quantity", "opening_quantity", "pnl")
    assert [morning[name] for name in columns] == [10, 30, 0, 10, 40, 0.0]
    assert [sold[name] for name in columns] == [0, 15, 25, 10, 40, 150.0]
    assert compact == [
        {"exchange": "NSE", "tradingsymbol": "INFY", "instrument_token": INFY.token, "t1_quantity": 15, "quantity": 0}
    ]
    assert (summary["invested_amount"], summary["current_value"], summary["total_pnl"]) == (22500.0, 22650.0, 150.0)
    assert summary["today_pnl_percent"] == pytest.approx(100 * 150 / 22500)


async def test_a_summary_of_nothing_is_zero() -> None:
    async with serving() as served:
        served.desk.venue.books.accounts["AB1001"].holdings.clear()

        assert set((await raw(served, "GET", "/portfolio/holdings/summary"))["data"].values()) == {0}


async def test_authorisation_gives_an_id_for_what_is_held_and_refuses_the_rest() -> None:
    async with serving() as served:
        (holding,) = await served.call(served.kite().holdings)
        path = "/portfolio/holdings/authorise"
        everything = await raw(served, "POST", path)
        some = await raw(served, "POST", path, data={"isin": holding["isin"], "quantity": 10})
        too_much = await raw(served, "POST", path, data={"isin": holding["isin"], "quantity": 11})
        unknown = await raw(served, "POST", path, data={"isin": "INE000000000", "quantity": 1})
        unpaired = await raw(served, "POST", path, data={"isin": holding["isin"]})

    assert len(everything["data"]["request_id"]) == len(some["data"]["request_id"]) == 32
    assert everything["data"] != some["data"]
    assert [one["message"].split(".")[0] for one in (too_much, unknown, unpaired)] == [
        "Invalid `quantity`",
        "Invalid `isin`",
        "Invalid `isin`",
    ]


async def test_the_auction_list_names_what_is_held_under_the_days_number() -> None:
    async with serving() as served:
        (row,) = await served.call(served.kite().get_auction_instruments)
        (again,) = await served.call(served.kite("AB1002").get_auction_instruments)

    assert (row["tradingsymbol"], row["quantity"]) == ("INFY", 10)
    assert row["auction_number"] == again["auction_number"]
    assert row["auction_number"].isdecimal()


async def test_the_full_profile_is_the_same_person() -> None:
    async with serving() as served:
        profile = await served.call(served.kite().profile)
        full = (await raw(served, "GET", "/user/profile/full"))["data"]

    same = profile.keys() & full.keys() - {"meta"}
    assert {key: full[key] for key in same} == {key: profile[key] for key in same}
    assert full["bank_accounts"][0]["account"].startswith("*")
