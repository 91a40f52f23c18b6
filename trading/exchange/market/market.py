"""One trading day of the simulated exchange: prices by market time, history behind it, the instrument dump."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Final

from trading.domain.instruments import Instrument, InstrumentClass
from trading.exchange.market.bar import Bar, merged
from trading.exchange.market.bars import BarsSource
from trading.exchange.market.calendar_hours import CalendarHours
from trading.exchange.market.candles import (
    DAY_INTERVAL,
    Candle,
    bars_of_tape,
    candle_of,
    day_candle,
    epoch_ms,
    folded,
)
from trading.exchange.market.generated import GeneratedSource
from trading.exchange.market.hours import Hours, day_of, midnight_ms
from trading.exchange.market.prints import Print, print_in, vwap
from trading.exchange.market.quotes import Quote
from trading.exchange.market.source import Source
from trading.exchange.market.state import InstrumentState
from trading.exchange.market.tape import SECOND_MS, make_tape
from trading.exchange.market.wide import WideMarket

LAST_SECOND_MS: Final = 59_000


class Market:
    """The prices of one day. Day, seed and source decide everything, steps and speed nothing.

    All moments are epoch milliseconds of market time. `instruments` is everything in the dump, by token: look things up
    in it, do not walk over it. `universe` is what has a tape of its own and always moves; what only the dump lists is
    priced when somebody asks (see `wide`), and moves in `advance` once it is watched. `step_times` is every moment at
    which one of the universe trades or a phase changes, ascending, and every second in which only contracts trade.
    """

    def __init__(self, day: date, seed: int, source: Source, calendar: Hours) -> None:
        self.day = day
        self.seed = seed
        self._source = source
        self._days = source.days_until(day)
        self.previous_day: date = self._days[-2]
        self._states = {state.listing.token: state for state in self._prepared()}
        self.universe: Mapping[int, Instrument] = {
            token: state.listing.instrument for token, state in self._states.items()
        }
        self._keys = {instrument.key: instrument for instrument in self.universe.values()}
        moments = {at_ms for state in self._states.values() for at_ms in state.tape.times}
        self.step_times: Sequence[int] = sorted(moments.union(calendar.phase_changes(day), self._late_seconds()))
        self.wide = WideMarket(day, seed, source, calendar, self._states)
        self.instruments: Mapping[int, Instrument] = self.wide.instruments

    def advance(self, to_ms: int) -> list[Quote]:
        """Move on to this moment and give the present quote of every instrument that traded since.

        Of the wide market only what is watched, behind the universe.
        """
        moved = [state.quote() for state in self._states.values() if state.advance(to_ms)]
        return moved + self.wide.advance(to_ms)

    def watch(self, token: int) -> None:
        """Let `advance` look after an instrument for the rest of the day. Raises KeyError for one not listed."""
        if token not in self._states:
            self.wide.watch(token)

    def quote(self, token: int) -> Quote:
        """Give the present quote. Raises KeyError for a token that is not listed."""
        state = self._states.get(token)
        return self.wide.quote(token) if state is None else state.quote()

    def print_in(self, token: int, from_ms: int, until_ms: int) -> Print | None:
        """Give today's first trade from `from_ms` up to and with `until_ms`, which must not be later than now."""
        state = self._states.get(token)
        if state is None:
            return self.wide.print_in(token, from_ms, until_ms)
        return print_in(state.tape, from_ms, until_ms)

    def vwap(self, token: int, from_ms: int, until_ms: int) -> int:
        """Give the volume weighted price from `from_ms` up to but without `until_ms`, 0 where nothing was traded."""
        state = self._states.get(token)
        if state is None:
            return self.wide.vwap(token, from_ms, until_ms)
        return vwap(state.tape, from_ms, until_ms)

    def by_key(self, key: str) -> Instrument | None:
        """Find an instrument by `EXCHANGE:TRADINGSYMBOL`."""
        return self._keys.get(key) or self.wide.instruments.find(key)

    def recall(self, key: str) -> Instrument | None:
        """Find an instrument that a kept ledger names, also a contract that has expired or is not listed any more."""
        return self._keys.get(key) or self.wide.recall(key)

    def final_price(self, instrument: Instrument) -> int | None:
        """Give what a contract that expired before this day is settled at, None for what still trades."""
        return self.wide.final_price(instrument)

    def candles(self, token: int, start: datetime, end: datetime, interval: str, now_ms: int) -> list[Candle]:
        """Give the candles that begin from `start` to `end` (both aware, both included), as known at `now_ms`.

        Today's running candle is included; candles of a day count by their date. Raises KeyError for an
        unknown token and ValueError for an interval that Kite does not have. May be called in any thread.
        """
        start_ms, end_ms = epoch_ms(start), epoch_ms(end)
        days = [day for day in self._days if day_of(start_ms) <= day <= day_of(end_ms)]
        if interval == DAY_INTERVAL:
            start_ms = midnight_ms(day_of(start_ms))
            whole = (self._whole_day(token, day, now_ms) for day in days)
            rows = [day_candle(bar) for bar in whole if bar is not None]
        else:
            rows = [bar for day in days for bar in folded(self._bars(token, day, now_ms), interval)]
        return [candle_of(bar) for bar in rows if start_ms <= bar.start_ms <= end_ms]

    def open_interest(self, token: int, at: datetime, now_ms: int) -> int:
        """Give the units open at the start of a candle, at the end of a day's candle; 0 for what is no contract."""
        return 0 if token in self._states else self.wide.open_interest(token, epoch_ms(at), now_ms)

    def dump_csv(self, exchange: str | None = None) -> bytes:
        """Give the day's instrument dump in Kite's columns, of one exchange or of all (about 100,000 rows)."""
        return self.wide.dump.csv(exchange)

    def old_dump_csv(self, exchange: str | None = None) -> bytes:
        """Give the instrument dump of the day before: what a client gets from a cache that nobody renewed."""
        return self.wide.dump_of(self.previous_day).csv(exchange)

    def _bars(self, token: int, day: date, now_ms: int) -> Sequence[Bar]:
        if token not in self._states:
            return self.wide.bars(token, day, now_ms)
        if day != self.day:
            return self._source.bars(token, day)
        state = self._states[token]
        first_minute = state.hours.continuous[0][0]
        return bars_of_tape(state.tape, first_minute, now_ms, is_index=state.listing.is_index)

    def _whole_day(self, token: int, day: date, now_ms: int) -> Bar | None:
        if day != self.day and token in self._states:
            return self._source.whole_day(token, day)
        bars = self._bars(token, day, now_ms)
        return merged(bars) if bars else None

    def _late_seconds(self) -> range:
        """Give the seconds in which contracts still trade after the universe's continuous sessions are over."""
        universe = [state.hours.continuous[-1][1] for state in self._states.values()]
        contracts = self._source.hours(self.day, InstrumentClass.DERIVATIVE).continuous[-1][1]
        return range(max(universe), contracts, SECOND_MS)

    def _prepared(self) -> list[InstrumentState]:
        """Make every instrument's tape of the day."""
        states = []
        for listing in self._source.listings:
            token = listing.token
            hours = self._source.hours(self.day, listing.instrument.instrument_class)
            tape = make_tape(listing, self._source.bars(token, self.day), hours, self.seed, self.day.isoformat())
            close = self._source.previous_close(token, self.day)
            states.append(InstrumentState(listing, tape, close, self._last_trade_ms(token), hours, self.seed))
        return states

    def _last_trade_ms(self, token: int) -> int:
        """Give the moment of the last trade before today, 0 when there was none."""
        bars = self._source.bars(token, self.previous_day)
        return bars[-1].start_ms + LAST_SECOND_MS if bars else 0


def make_market(
    day: date | None = None, seed: int = 1, bars_dir: Path | None = None, calendar: Hours | None = None
) -> Market:
    """Make the market of one day: generated, or replayed from a folder of real bars.

    Without a day a folder begins with its first day that has one before it; the generated market must be
    told its day. Raises ValueError, in words for a person, for a day that is not there, an empty folder
    or a malformed file.
    """
    calendar = calendar or CalendarHours()
    if bars_dir is not None:
        replay = BarsSource(bars_dir, calendar)
        day = day or replay.days[1]
        replay.check_day(day)
        return Market(day, seed, replay, calendar)
    if day is None:
        raise ValueError("the generated market needs a day")
    return Market(day, seed, GeneratedSource(day, seed, calendar), calendar)
