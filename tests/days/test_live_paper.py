"""A paper ladder on a live feed, as real processes: its fills are the real quotes', and nothing that dies loses one.

The real broker is a simulated exchange whose day is known, so every fill can be held against the very quote.
"""

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.days.paper_chain import DAY, QUANTITY, SEED, START, SYMBOLS, Chain, running_chain, rupees
from trading.domain.orders import Side
from trading.exchange.market import Market, make_market

pytestmark = [pytest.mark.processes, pytest.mark.timeout(1800)]
STALE_S = 3
MARKET: dict[str, Any] = {
    "variety": "regular",
    "exchange": "NSE",
    "tradingsymbol": "INFY",
    "transaction_type": "BUY",
    "quantity": 5,
    "product": "MIS",
    "order_type": "MARKET",
    "market_protection": -1,
}


@pytest.fixture
def chain(redis_url: str, tmp_path: Path) -> Iterator[Chain]:
    with running_chain(tmp_path, redis_url) as chain:
        yield chain


def test_a_ladder_on_paper_trades_the_real_quotes_whatever_dies_in_between(chain: Chain) -> None:
    chain.until(lambda: len(chain.trades()) >= len(SYMBOLS), "entries and targets")
    assert {trade["quantity"] for trade in chain.trades() if trade["side"] == "BUY"} == {QUANTITY}

    order = without_the_ticker(chain)
    without_the_paper_exchange(chain, order)
    without_the_broker(chain)

    booked_by_engine_and_exchange_alike(chain)
    at_the_real_quotes(chain.trades() + chain.trades("AB1003"))
    for name in ("ticker", "engine", "paper", "real"):
        assert "Traceback" not in chain.log(name), chain.tails()


def without_the_ticker(chain: Chain) -> str:
    """Nothing is filled while no price comes, and what rested is filled when they come again."""
    chain.kill("ticker")
    chain.until(lambda: not chain.clock()["feed"]["connected"], "the paper exchange to notice")
    order = str(chain.kite("AB1003").place_order(**MARKET))
    chain.until(lambda: status_of(chain, order) == "OPEN", "the order to rest")
    chain.start("ticker")
    chain.until(lambda: status_of(chain, order) == "COMPLETE", "the order to be filled at new prices")
    return order


def without_the_paper_exchange(chain: Chain, order: str) -> None:
    """Its ledger is whole again before the first price comes, and the feed comes back by itself."""
    before = chain.trades()
    chain.kill("paper")
    chain.start("paper")
    assert chain.trades()[: len(before)] == before
    assert status_of(chain, order) == "COMPLETE"
    heard = chain.clock()["feed"]["packets"]
    chain.until(lambda: chain.clock()["feed"]["packets"] > heard, "prices after its restart")


def without_the_broker(chain: Chain) -> None:
    """The feed's own end stops the prices, not the programs."""
    chain.kill("real")
    newest = chain.clock()["feed"]["newest"]
    chain.start("real")
    chain.until(lambda: chain.clock()["feed"]["newest"] > newest, "prices of the broker that is back")


def status_of(chain: Chain, order: str) -> str:
    """Give an order's present word."""
    return chain.status_of("AB1003", order)


def booked_by_engine_and_exchange_alike(chain: Chain) -> None:
    """Both have the same fills of alice's account, in the same order, once the market stands."""
    chain.kill("ticker")
    ledger: list[list[Any]] = []
    booked: list[list[Any]] = []
    for _ in range(10):
        ledger = [[one["instrument"], one["side"], one["quantity"], float(one["price"])] for one in chain.trades()]
        booked = [[*fill[:3], float(fill[3])] for fill in chain.booked()["fills"]]
        if sorted(booked) == sorted(ledger):
            return
    assert sorted(booked) == sorted(ledger), chain.tails()


def at_the_real_quotes(trades: list[dict[str, Any]]) -> None:
    """Each fill's price was a level, or the last price, of the real book within three seconds."""
    market = make_market(date.fromisoformat(DAY), SEED)
    shown = Shown(market, max(trade["at"] for trade in trades))
    for trade in trades:
        assert trade["price"] in shown.at(trade["instrument"], trade["side"], trade["at"]), trade


class Shown:
    """Every price that the real market offered, by instrument, side and second."""

    def __init__(self, market: Market, until: str) -> None:
        self._prices: dict[tuple[str, str, int], set[str]] = {}
        second = int(datetime.fromisoformat(f"{DAY}T{START}+05:30").timestamp())
        last = int(datetime.fromisoformat(until).timestamp())
        while second <= last + STALE_S:
            market.advance(second * 1000)
            for symbol in SYMBOLS:
                self._note(market, f"NSE:{symbol}", second)
            second += 1

    def _note(self, market: Market, key: str, second: int) -> None:
        instrument = market.by_key(key)
        assert instrument is not None
        quote = market.quote(instrument.token)
        for side in Side:
            levels = {rupees(level.price) for level in quote.levels(side.opposite)}
            self._prices[key, side.value, second] = levels | {rupees(quote.ltp)}

    def at(self, key: str, side: str, moment: str) -> set[str]:
        """Give what an order of this side could have traded at.

        The feeder hears of a new moment after its prices, so that a price may be ahead of the ledger's time too.
        """
        at = int(datetime.fromisoformat(moment).timestamp())
        seconds = range(at - STALE_S, at + STALE_S + 1)
        return {price for second in seconds for price in self._prices.get((key, side, second), ())}
