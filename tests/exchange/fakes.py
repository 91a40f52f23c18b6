"""A market whose prices and depth a test sets by hand, and times that stand until a test moves them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

from trading.domain.calendar import ONE_DAY, MarketCalendar
from trading.domain.instruments import Instrument, InstrumentType
from trading.domain.money import to_scaled
from trading.domain.orders import Side
from trading.domain.timezone import at_ist
from trading.exchange.market.candles import Candle
from trading.exchange.market.prints import Print
from trading.exchange.market.quotes import Depth, Level, Quote
from trading.exchange.venue import Venue
from trading.exchange.venue.desk import Update
from trading.exchange.venue.rules import OrderRequest
from trading.exchange.venue.sessions import Sessions

DAY = date(2026, 11, 23)
TICK = Decimal("0.05")
INFY = Instrument("NSE", "INFY", 408065, TICK, 1, name="INFOSYS", has_derivatives=True)
SBIN = Instrument("NSE", "SBIN", 779521, TICK, 1, name="STATE BANK OF INDIA", has_derivatives=True)
NIFTY = Instrument("NSE", "NIFTY 50", 256265, TICK, 1, InstrumentType.INDEX, segment="INDICES")
FUTURE = Instrument("NFO", "NIFTY26NOVFUT", 13568258, TICK, 75, InstrumentType.FUT, segment="NFO-FUT", name="NIFTY")

QUOTES_TO_HEAL = 60
"""After so many quotes the street has brought back whatever was taken of its book."""

CSV_HEADER = (
    "instrument_token,exchange_token,tradingsymbol,name,last_price,expiry,strike,tick_size,lot_size,"
    "instrument_type,segment,exchange"
)


def scaled(price: str | int) -> int:
    """Give rupees as the exchange's integer."""
    return to_scaled(Decimal(price))


@dataclass(frozen=True, slots=True)
class BookedQuote(Quote):
    """A quote with a book written by hand: nothing stands behind the levels given."""

    offered: tuple[Level, ...] = ()
    wanted: tuple[Level, ...] = ()

    def levels(self, side: Side) -> Iterator[Level]:
        return iter(self.wanted if side is Side.BUY else self.offered)


def quote_of(
    instrument: Instrument,
    ltp: str | int,
    *,
    asks: tuple[tuple[str | int, int], ...] | None = None,
    bids: tuple[tuple[str | int, int], ...] | None = None,
    close: str | int = 1500,
    at_ms: int = 0,
    circuits: tuple[str | int, str | int] = (1350, 1650),
) -> BookedQuote:
    """Make a quote; without levels there are 1,000,000 units on either side at LTP."""
    deep = ((ltp, 1_000_000),)
    price = scaled(ltp)
    return BookedQuote(
        token=instrument.token,
        ltp=price,
        last_quantity=10,
        average_price=price,
        volume=100_000,
        open=scaled(close),
        high=price + scaled(5),
        low=price - scaled(5),
        close=scaled(close),
        last_trade_ms=at_ms,
        at_ms=at_ms,
        lower_circuit=scaled(circuits[0]),
        upper_circuit=scaled(circuits[1]),
        oi=0,
        depth=Depth(500, 100, 1),
        serial=1,
        is_bought=True,
        offered=tuple(Level(scaled(level), units, 1) for level, units in (deep if asks is None else asks)),
        wanted=tuple(Level(scaled(level), units, 1) for level, units in (deep if bids is None else bids)),
    )


class FakeMarket:
    """One day with INFY, SBIN, NIFTY 50 and a NIFTY future, all at 1500 until `set` moves them."""

    def __init__(self, day: date = DAY) -> None:
        self.day = day
        self.instruments = {one.token: one for one in (INFY, SBIN, NIFTY, FUTURE)}
        at_ms = int(at_ist(day, time(9, 15)).timestamp() * 1000)
        self._quotes: dict[int, Quote] = {
            token: quote_of(one, 1500, at_ms=at_ms) for token, one in self.instruments.items()
        }
        self.prints: dict[int, list[Print]] = {}
        """Trades of the tape by token, in order: only auctions and averages ask for them."""

    def quote(self, token: int) -> Quote:
        return self._quotes[token]

    def recall(self, key: str) -> Instrument | None:
        return self.by_key(key)

    def final_price(self, instrument: Instrument) -> int | None:
        """Give the present price of what expired before this day."""
        is_over = instrument.expiry is not None and instrument.expiry < self.day
        return self._quotes[instrument.token].ltp if is_over else None

    def watch(self, token: int) -> None:
        """Everything here is watched."""

    def put(self, quote: Quote) -> Quote:
        """Set a price. Without a later serial of its own, so many quotes have passed that what was taken is back."""
        before = self._quotes.get(quote.token)
        if before is not None and quote.serial <= before.serial:
            quote = replace(quote, serial=before.serial + QUOTES_TO_HEAL)
        self._quotes[quote.token] = quote
        return quote

    def by_key(self, key: str) -> Instrument | None:
        return next((one for one in self.instruments.values() if one.key == key), None)

    def candles(self, token: int, start: datetime, end: datetime, interval: str, now_ms: int) -> list[Candle]:
        minutes = int((end - start) / timedelta(minutes=1)) + 1
        price = Decimal(1500)
        return [
            (start + timedelta(minutes=n), price, price + 2, price - 2, price + 1, 100 + n)
            for n in range(min(minutes, 5))
        ]

    def print_in(self, token: int, from_ms: int, until_ms: int) -> Print | None:
        return next((one for one in self.prints.get(token, []) if from_ms <= one.at_ms <= until_ms), None)

    def vwap(self, token: int, from_ms: int, until_ms: int) -> int:
        found = [one for one in self.prints.get(token, []) if from_ms <= one.at_ms < until_ms]
        units = sum(one.quantity for one in found)
        return sum(one.price * one.quantity for one in found) // units if units else 0

    def open_interest(self, token: int, at: datetime, now_ms: int) -> int:
        return 0

    def dump_csv(self, exchange: str | None) -> bytes:
        rows = [
            f'{one.token},{one.token >> 8},{one.tradingsymbol},"{one.name}",0,,0,{one.tick_size},{one.lot_size},'
            f"{one.instrument_type.replace('INDEX', 'EQ')},{one.segment},{one.exchange}"
            for one in self.instruments.values()
            if exchange in (None, one.exchange)
        ]
        return "\n".join([CSV_HEADER, *rows, ""]).encode()


class Times:
    """Market time and wire time by hand."""

    def __init__(self, moment: time = time(10, 0), day: date = DAY) -> None:
        self.wire_s = 1000.0
        self.go_to(moment, day)

    def go_to(self, moment: time, day: date = DAY) -> None:
        self.market = at_ist(day, moment)

    def now_ms(self) -> int:
        return int(self.market.timestamp() * 1000)

    def monotonic(self) -> float:
        return self.wire_s


CALENDAR = MarketCalendar.load().with_rows(open_weekend_days={DAY + ONE_DAY: "a day of the tests"}, years=[2027])
"""Stocks with derivatives end at 15:15 with a closing auction, the others at 15:30. The day after DAY trades too, and
every weekday of the year after."""
SESSIONS = Sessions(CALENDAR, seed=1)


class Desk:
    """A venue on a fake market with the handles that a test wants."""

    def __init__(
        self,
        state_dir: Path | None = None,
        *,
        market: FakeMarket | None = None,
        times: Times | None = None,
        more_accounts: int = 0,
    ) -> None:
        self.state_dir = state_dir
        self.market = market or FakeMarket()
        self.times = times or Times()
        self.venue = Venue(
            exchange_id="exchange-test",
            market=self.market,
            hours=SESSIONS,
            now_ms=self.times.now_ms,
            monotonic=self.times.monotonic,
            state_dir=state_dir,
            more_accounts=more_accounts,
        )
        self.updates: list[Update] = []
        self.words: list[tuple[str, str]] = []
        self.venue.listeners.append(self._heard)

    def _heard(self, updates: Sequence[Update]) -> None:
        for update in updates:
            self.updates.append(update)
            self.words.append((update.order.tag, update.word))

    def place(self, request: OrderRequest, user_id: str = "AB1001") -> str:
        """Place without matching."""
        return self.venue.place(user_id, self.venue.users[user_id].api_key, request).order_id

    def trade(self, request: OrderRequest, user_id: str = "AB1001") -> str:
        """Place and match."""
        order_id = self.place(request, user_id)
        self.venue.match_pending()
        return order_id

    def tick(self, quote: Quote) -> None:
        """Move one price."""
        self.venue.on_quotes([self.market.put(quote)])


def order(side: Side = Side.BUY, quantity: int = 10, **more: object) -> OrderRequest:
    """Make a protected MIS market order for INFY unless told otherwise."""
    words: dict[str, object] = {
        "instrument": INFY,
        "product": "MIS",
        "order_type": "MARKET",
        "protection": Decimal(-1) if more.get("order_type", "MARKET") in ("MARKET", "SL-M") else None,
    }
    words.update(more)
    return OrderRequest(side=side, quantity=quantity, **words)  # type: ignore[arg-type]


def limit(side: Side, quantity: int, price: str | int, **more: object) -> OrderRequest:
    """Make an MIS limit order for INFY."""
    return order(side, quantity, **({"order_type": "LIMIT", "price": Decimal(price)} | more))
