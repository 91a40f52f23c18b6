"""The exchange that `bench_exchange` loads: the product's own, over a market in which everything trades at once.

Started as a process: `load_exchange.py STATE_DIR INSTRUMENTS SECONDS ACCOUNTS`. Prints the exchange's first line with
the instruments' tokens and symbols, serves until SIGTERM.
"""

import asyncio
import json
import signal
import sys
import time as wall
from array import array
from collections.abc import Sequence
from datetime import date, time, timedelta
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from trading.domain.calendar import MarketCalendar
from trading.domain.instruments import Instrument, InstrumentClass
from trading.domain.money import PRICE_SCALE, to_scaled
from trading.domain.timezone import at_ist
from trading.exchange.clock import to_ms
from trading.exchange.collecting import collect_seldom
from trading.exchange.days import DayChoice, DayWish
from trading.exchange.market.bar import Bar
from trading.exchange.market.calendar_hours import CalendarHours
from trading.exchange.market.hours import MINUTE_MS, DayHours, Hours
from trading.exchange.market.listing import Listing
from trading.exchange.market.market import Market
from trading.exchange.market.quotes import Depth
from trading.exchange.market.randomness import seeded
from trading.exchange.market.state import InstrumentState
from trading.exchange.market.tape import Tape
from trading.exchange.server import Exchange, ExchangeOptions

DAY, SEED = date(2026, 11, 23), 810
BEGINS_AT = time(10, 0)
UPDATES_A_SECOND = 4
TICK = Decimal("0.05")
FIRST_TOKEN = 200_000


def busy_listings(count: int) -> list[Listing]:
    """List so many shares of Rs 100 to 3,100 with books as thick as a busy share's."""
    step = to_scaled(TICK)
    return [
        Listing(
            Instrument(
                exchange="NSE",
                tradingsymbol=f"BUSY{number:04d}",
                token=(FIRST_TOKEN + number) * 256 + 1,
                tick_size=TICK,
                lot_size=1,
                segment="NSE",
                name=f"BUSY {number}",
            ),
            step,
            1.0,
            Depth(step, 2000, 1),
        )
        for number in range(count)
    ]


class BusySource:
    """Implements `market.source.Source`: yesterday is one bar an instrument, today is `BusyMarket`'s."""

    def __init__(self, day: date, count: int, calendar: Hours) -> None:
        self.listings: Sequence[Listing] = busy_listings(count)
        self._calendar = calendar
        self._days = [day - timedelta(days=3), day]
        self._closes = {one.token: (100 + place % 3000) * PRICE_SCALE for place, one in enumerate(self.listings)}

    def days_until(self, day: date) -> list[date]:
        """Give the two days."""
        return self._days

    def hours(self, day: date, instrument_class: InstrumentClass) -> DayHours:
        """Give the session of that date by the calendar."""
        return self._calendar.day_hours(day, instrument_class)

    def bars(self, token: int, day: date) -> tuple[Bar, ...]:
        """Give one minute of that day."""
        close = self._closes[token]
        return (Bar(to_ms(at_ist(day, time(15, 20))), close, close, close, close, 1000),)

    def whole_day(self, token: int, day: date) -> Bar | None:
        """Give the same minute."""
        return self.bars(token, day)[0]

    def previous_close(self, token: int, day: date) -> int:
        """Give the close of the day before."""
        return self._closes[token]


class BusyMarket(Market):
    """Every instrument trades UPDATES_A_SECOND times a second, from BEGINS_AT on for so many seconds."""

    def __init__(self, day: date, source: BusySource, calendar: Hours, seconds: int) -> None:
        self._seconds = seconds
        super().__init__(day, SEED, source, calendar)

    def _prepared(self) -> list[InstrumentState]:
        begins = to_ms(at_ist(self.day, BEGINS_AT))
        gap = 1000 // UPDATES_A_SECOND
        times = array("q", range(begins + gap, begins + self._seconds * 1000 + 1, gap))
        states = []
        for listing in self._source.listings:
            close = self._source.previous_close(listing.token, self.day)
            hours = self._source.hours(self.day, listing.instrument.instrument_class)
            tape = _tape(times, close, listing)
            states.append(InstrumentState(listing, tape, close, begins - MINUTE_MS, hours, SEED))
        return states


def _tape(times: "array[int]", close: int, listing: Listing) -> Tape:
    """Let a price walk by single steps around yesterday's close, ten units a trade."""
    rng = seeded("busy", SEED, listing.token)
    steps = (rng.randrange(-1, 2) for _ in times)
    prices, price = array("q"), close
    for step in steps:
        price += step * listing.step
        prices.append(price)
    volumes = array("q", range(10, 10 * len(times) + 1, 10))
    turnovers = array("q", (volume * close for volume in volumes))
    return Tape(times, prices, volumes, turnovers)


class LoadedExchange(Exchange):
    """The exchange over a busy market."""

    def __init__(self, options: ExchangeOptions, instruments: int, seconds: int) -> None:
        self._instruments, self._seconds = instruments, seconds
        super().__init__(options, monotonic=wall.monotonic)

    def _make_market(self, choice: DayChoice, calendar: MarketCalendar) -> Market:
        hours = CalendarHours(calendar)
        return BusyMarket(choice.day, BusySource(choice.day, self._instruments, hours), hours, self._seconds)

    def first_line(self) -> str:
        """Give addresses, users and what trades."""
        traded = [[one.token, one.tradingsymbol] for one in self._market.universe.values()]
        return json.dumps({**self.info, "traded": traded})


async def _serve(exchange: LoadedExchange) -> None:
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    exchange.clock.hold()
    await exchange.start()
    collect_seldom()
    sys.stdout.write(exchange.first_line() + "\n")
    sys.stdout.flush()
    await stopped.wait()
    await exchange.stop()


def main() -> None:
    """Serve as the arguments say."""
    state_dir, *numbers = sys.argv[1:]
    instruments, seconds, accounts = (int(number) for number in numbers)
    options = ExchangeOptions(
        Path(state_dir), DAY, DayWish(DAY, SEED, None), pace="free", start_at=BEGINS_AT, more_accounts=accounts
    )
    asyncio.run(_serve(LoadedExchange(options, instruments, seconds)))


if __name__ == "__main__":
    main()
