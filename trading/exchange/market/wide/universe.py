"""Everything in the day's dump that has no tape: found, watched, quoted, looked back at.

Nothing is made for an instrument before somebody asks for it, and `advance` looks only at those that are watched.
"""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import lru_cache

from trading.domain.instruments import Instrument, InstrumentType
from trading.domain.money import PRICE_SCALE, to_scaled
from trading.exchange.market.bar import Bar, merged
from trading.exchange.market.directory import Directory
from trading.exchange.market.dump import Dump
from trading.exchange.market.dump_derivatives import INDEX_OF_UNDERLYING
from trading.exchange.market.hours import MINUTE_MS, Hours, day_of
from trading.exchange.market.prints import Print
from trading.exchange.market.quotes import Quote
from trading.exchange.market.randomness import number_of
from trading.exchange.market.recall import contract_named
from trading.exchange.market.source import Source
from trading.exchange.market.state import SALT_BITS, InstrumentState
from trading.exchange.market.wide.cash import CashCourse
from trading.exchange.market.wide.character import character_of, family_character, family_of
from trading.exchange.market.wide.common import CommonMoves
from trading.exchange.market.wide.contracts import Contracts
from trading.exchange.market.wide.course import Course, Happening
from trading.exchange.market.wide.invented import Invented
from trading.exchange.market.wide.progress import Progress
from trading.exchange.market.wide.spots import InventedSpot, Spot, TapedSpot

LONGEST_LIFE_DAYS = 100
"""A contract has candles of so many days before its expiry."""


class WideMarket:
    """One day. `taped` are the states of the instruments with tapes of their own, by token."""

    def __init__(
        self, day: date, seed: int, source: Source, calendar: Hours, taped: Mapping[int, InstrumentState]
    ) -> None:
        self.day = day
        self._seed = seed
        self._common = CommonMoves(source, source.days_until(day))
        self._before = self._common.day_before(day)
        self._taped = taped
        self._source = source
        self._keys = {state.listing.instrument.key: state for state in taped.values()}
        self._calendar = calendar
        self.dump = self.dump_of(day)
        instruments = {token: state.listing.instrument for token, state in taped.items()}
        self.instruments = Directory(self.dump, instruments)
        self._contracts = Contracts(day, seed, self._common, calendar)
        self._spot = lru_cache(maxsize=None)(self._make_spot)
        self._progress: dict[int, Progress] = {}
        self._watched: set[int] = set()
        self._due: list[tuple[int, int]] = []
        self._now_ms = 0

    # -- the day -------------------------------------------------------------------------------------

    def watch(self, token: int) -> None:
        """Let `advance` look after an instrument from now on. Raises KeyError for a token that is not listed."""
        if token in self._watched:
            return
        progress = self._progress_of(token)
        progress.advance(self._now_ms)
        self._watched.add(token)
        heapq.heappush(self._due, (progress.next_ms(), token))

    def advance(self, to_ms: int) -> list[Quote]:
        """Move on and give the quotes of the watched instruments in which something happened, by token."""
        self._now_ms = to_ms
        moved: set[int] = set()
        while self._due and self._due[0][0] <= to_ms:
            _, token = self._due[0]
            progress = self._progress[token]
            if progress.advance(to_ms):
                moved.add(token)
            heapq.heapreplace(self._due, (progress.next_ms(), token))
        return [self._progress[token].quote() for token in sorted(moved)]

    def quote(self, token: int) -> Quote:
        """Give the present quote. Raises KeyError for a token that is not listed."""
        progress = self._progress_of(token)
        if token not in self._watched:
            progress.advance(self._now_ms)
        return progress.quote()

    # -- looking back --------------------------------------------------------------------------------

    def bars(self, token: int, day: date, now_ms: int) -> Sequence[Bar]:
        """Give the minutes of a day, of today up to and with a moment. May be called in any thread."""
        instrument = self.instruments[token]
        expiry = instrument.expiry
        if expiry is not None and not 0 <= (expiry - day).days <= LONGEST_LIFE_DAYS:
            return ()
        course = self._course(instrument, day)
        if day != self.day:
            every = (course.bar(place) for place in range(len(course.minutes)))
            return [bar for bar in every if bar is not None]
        progress = Progress(course, 0, 0)
        progress.advance(now_ms)
        return progress.bars()

    def open_interest(self, token: int, at_ms: int, now_ms: int) -> int:
        """Give a contract's open interest in a minute of any day, at midnight that of the day's end; 0 for a share."""
        instrument, day = self.instruments[token], day_of(at_ms)
        if instrument.expiry is None:
            return 0
        course = self._contracts.made(instrument, self._spot_of(instrument), day)
        end_ms = min(now_ms, course.minutes[-1])
        at_ms = end_ms if at_ms < course.minutes[0] else min(at_ms, end_ms)
        return course.interest(max(0, (at_ms - course.minutes[0]) // MINUTE_MS)).now

    def print_in(self, token: int, from_ms: int, until_ms: int) -> Print | None:
        """Give today's first trade from `from_ms` up to and with `until_ms`."""
        first = next(self._trades(token, from_ms, until_ms + 1), None)
        return None if first is None else Print(first.price, first.units, first.at_ms)

    def vwap(self, token: int, from_ms: int, until_ms: int) -> int:
        """Give the volume weighted price of today's trades up to but without `until_ms`; 0 without volume."""
        trades = list(self._trades(token, from_ms, until_ms))
        volume = sum(one.units for one in trades)
        return sum(one.price * one.units for one in trades) // volume if volume else 0

    def _trades(self, token: int, from_ms: int, until_ms: int) -> Iterator[Happening]:
        """Give today's trades from `from_ms` up to but without `until_ms`."""
        course = self._progress_of(token).course
        for place, start in enumerate(course.minutes):
            if from_ms - MINUTE_MS < start < until_ms:
                happened = course.happenings(place)
                yield from (one for one in happened if one.price and from_ms <= one.at_ms < until_ms)

    def whole_day(self, token: int, day: date, now_ms: int) -> Bar | None:
        """Give the one bar of a day, None when nobody traded."""
        bars = self.bars(token, day, now_ms)
        return merged(bars) if bars else None

    def recall(self, key: str) -> Instrument | None:
        """Find an instrument that a kept ledger names, also a contract that has expired or is not listed any more."""
        found = self.instruments.find(key)
        if found is None:
            found = contract_named(key, self._calendar, self.instruments)
            if found is not None:
                self.instruments.remember(found)
        return found

    def final_price(self, instrument: Instrument) -> int | None:
        """Give what a contract that expired before this day is settled at, None for one that still trades.

        The underlying's close of the expiry day, and for an option what it was in the money then.
        """
        expiry = instrument.expiry
        if expiry is None or expiry >= self.day:
            return None
        spot = self._spot_of(instrument)
        bars = spot.bars(expiry)
        close = bars[-1].close if bars else spot.previous_close(expiry)
        if instrument.instrument_type is InstrumentType.FUT:
            return close
        sign = 1 if instrument.instrument_type is InstrumentType.CE else -1
        return max(0, sign * (close - to_scaled(instrument.strike)))

    # -- making --------------------------------------------------------------------------------------

    def _progress_of(self, token: int) -> Progress:
        if token not in self._progress:
            instrument = self.instruments[token]
            course = self._course(instrument, self.day)
            salt = number_of("book", self._seed, token) & SALT_BITS
            before = self._common.hours(self._before, instrument.instrument_class).continuous[-1][1] - MINUTE_MS
            self._progress[token] = Progress(course, before, salt)
        return self._progress[token]

    def _course(self, instrument: Instrument, day: date) -> Course:
        """Make the day of an instrument; its previous close is that of the trading day before."""
        if instrument.expiry is not None or self._is_mirror(instrument):
            spot = self._spot_of(instrument)
            contract = self._contracts.made(instrument, spot, day)
            before = self._common.day_before(day)
            contract.previous_close = self._contracts.made(instrument, spot, before).close()
            return contract
        invented = self.invented(instrument.key)
        bars, close = invented.bars(day), invented.previous_close(day)
        return CashCourse(invented.listing, bars, close, invented.ticks, invented.lock_span(day))

    def invented(self, key: str) -> Invented:
        """Give an instrument without a tape over all days. Raises KeyError for one that is not in the dump."""
        spot = self._spot(key)
        if not isinstance(spot, InventedSpot):
            raise KeyError(key)
        return spot.invented

    def _is_mirror(self, instrument: Instrument) -> bool:
        """Say whether a share of BSE is NSE's share too."""
        if instrument.exchange != "BSE" or not instrument.is_tradable:
            return False
        return self.instruments.find(f"NSE:{instrument.tradingsymbol}") is not None

    def _spot_of(self, instrument: Instrument) -> Spot:
        """Give what a contract, or a share of BSE, follows."""
        if instrument.expiry is None:
            return self._spot(f"NSE:{instrument.tradingsymbol}")
        return self._spot(_underlying(instrument.exchange, instrument.name))

    def _make_spot(self, key: str) -> Spot:
        taped = self._keys.get(key)
        if taped is not None:
            return TapedSpot(taped, self._source)
        exchange, _, symbol = key.partition(":")
        family = family_of(exchange, symbol)
        if family is not None:
            return InventedSpot(Invented(key, family_character(exchange, family), self._seed, self._common))
        instrument = self.instruments.find(key)
        if instrument is None:
            raise KeyError(key)
        return InventedSpot(Invented(key, character_of(instrument), self._seed, self._common))

    def dump_of(self, day: date) -> Dump:
        """Give the instrument dump of a day."""

        def close_before(exchange: str, underlying: str) -> float:
            return self._spot(_underlying(exchange, underlying)).previous_close(day) / PRICE_SCALE

        return Dump(day, self._calendar, self._source.listings, close_before)


def _underlying(exchange: str, name: str) -> str:
    """Give the key of what contracts with this name in their row stand on."""
    if exchange in ("MCX", "CDS"):
        return f"{exchange}:{name}"
    return INDEX_OF_UNDERLYING.get(name, f"NSE:{name}")
