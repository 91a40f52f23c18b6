"""Contracts that expire: settled in cash when the next day begins, also after a restart; what lives on is carried."""

from datetime import date, time
from decimal import Decimal
from pathlib import Path

import pytest

from tests.exchange.fakes import Desk, Times, order
from tests.exchange.known_days import known_market
from trading.domain.instruments import Instrument
from trading.domain.money import PRICE_SCALE
from trading.domain.orders import Side
from trading.exchange.market import Market
from trading.exchange.market.calendar_hours import CalendarHours
from trading.exchange.market.recall import contract_named

EXPIRY, AFTER = date(2026, 11, 23), date(2026, 11, 25)  # the 24th is a holiday
LOT = 65


@pytest.fixture(scope="module")
def markets() -> tuple[Market, Market]:
    """The expiry day at its end, and the day after. Read only."""
    first, second = known_market(EXPIRY, 810), known_market(AFTER, 810)
    first.advance(first.step_times[-1])
    return first, second


def found(market: Market, key: str) -> Instrument:
    instrument = market.by_key(key)
    assert instrument is not None, key
    return instrument


def bought(markets: tuple[Market, Market], state_dir: Path, *keys: str, side: Side = Side.BUY) -> Desk:
    """Give a venue near the end of the expiry day whose account has traded one lot of each."""
    desk = Desk(state_dir, market=markets[0], times=Times(time(15, 10), EXPIRY))  # type: ignore[arg-type]
    for key in keys:
        wish = order(side, LOT, instrument=found(markets[0], key), product="NRML", tag=key[-12:])
        placed = desk.trade(wish)
        assert desk.venue.books.orders[placed].status == "COMPLETE"
    return desk


def restarted(markets: tuple[Market, Market], state_dir: Path) -> Desk:
    return Desk(state_dir, market=markets[1], times=Times(time(9, 15), AFTER))  # type: ignore[arg-type]


def strike_below(market: Market) -> int:
    return market.quote(256265).ltp // PRICE_SCALE // 50 * 50 - 100


@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
def test_an_option_in_the_money_pays_what_it_is_in_it(
    markets: tuple[Market, Market], tmp_path: Path, side: Side
) -> None:
    strike = strike_below(markets[0])
    desk = bought(markets, tmp_path, f"NFO:NIFTY26NOV{strike}CE", side=side)
    account = desk.venue.books.accounts["AB1001"]
    (trade,) = account.trades
    before = account.cash
    close = markets[0].quote(256265).ltp
    desk.venue.close()

    account = restarted(markets, tmp_path).venue.books.accounts["AB1001"]

    paid = close - strike * PRICE_SCALE
    assert account.cash == before + side.sign * LOT * (paid - trade.price)
    assert account.positions == {}


def test_an_option_out_of_the_money_is_gone_and_what_lives_on_is_carried(
    markets: tuple[Market, Market], tmp_path: Path
) -> None:
    strike = strike_below(markets[0])
    desk = bought(markets, tmp_path, f"NFO:NIFTY26NOV{strike}PE", f"NFO:NIFTY26D01{strike}PE")
    account = desk.venue.books.accounts["AB1001"]
    worthless, before = account.trades[0].price, account.cash
    desk.venue.close()

    account = restarted(markets, tmp_path).venue.books.accounts["AB1001"]

    assert account.cash == before - LOT * worthless
    (left,) = account.positions.values()
    assert (left.instrument.key, left.net_quantity) == (f"NFO:NIFTY26D01{strike}PE", LOT)


def test_a_future_is_settled_at_its_underlyings_close(markets: tuple[Market, Market]) -> None:
    first, second = markets
    future = found(first, "NFO:NIFTY26NOVFUT")

    assert second.final_price(future) == first.quote(256265).ltp
    assert first.final_price(future) is None
    assert second.final_price(found(second, "NFO:NIFTY26DECFUT")) is None


def test_a_contract_that_is_listed_no_more_is_known_to_the_ledger_only(markets: tuple[Market, Market]) -> None:
    second = known_market(AFTER, 810)
    far = "NFO:NIFTY26D0121000PE"

    assert second.by_key("NFO:NIFTY26NOV26700CE") is None
    assert second.by_key(far) is None
    expired, kept = second.recall("NFO:NIFTY26NOV26700CE"), second.recall(far)

    assert expired is not None
    assert expired.expiry == EXPIRY
    assert kept is not None
    assert (kept.strike, kept.lot_size, kept.tick_size) == (Decimal(21000), LOT, Decimal("0.05"))
    assert second.by_key(far) is kept  # what is held can be sold
    assert second.quote(kept.token).ltp >= 500


@pytest.mark.parametrize(
    "key", ["NFO:NIFTY26NOV26700XX", "NFO:NOTHERE26NOVFUT", "NFO:NIFTY26O9926700CE", "XYZ:NIFTY26NOVFUT", "NIFTY"]
)
def test_what_names_no_contract_is_not_recalled(markets: tuple[Market, Market], key: str) -> None:
    assert markets[1].recall(key) is None


def test_a_listed_contracts_name_is_read_as_the_dump_says_it(markets: tuple[Market, Market]) -> None:

    for key in ("NFO:NIFTY26DECFUT", "NFO:NIFTY26D0126700CE", "NFO:BANKNIFTY26DECFUT", "NFO:RELIANCE26DECFUT"):
        listed, named = found(markets[0], key), contract_named(key, CalendarHours(), frozenset())
        assert named is not None
        assert (named.expiry, named.strike, named.lot_size, named.name, named.instrument_type) == (
            listed.expiry, listed.strike, listed.lot_size, listed.name, listed.instrument_type,
        )  # fmt: skip
