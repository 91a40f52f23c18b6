"""The days of an invented instrument: where it closes, by the day alone, and its minutes in between.

A close needs no chain of days: it is a wandering line around a base price, with the market's own way and what locks
did to it on top. So ten thousand of them cost nothing until somebody asks, and a close is tomorrow's previous close.
"""

from array import array
from datetime import date
from functools import lru_cache

from trading.exchange.market.bar import Bar
from trading.exchange.market.daychain import InstrumentDay, Stretch, snap
from trading.exchange.market.hours import MINUTE_MS, DayHours, day_of
from trading.exchange.market.listing import Listing, circuits
from trading.exchange.market.minutes import stock_bars
from trading.exchange.market.randomness import fat_bell, mix, number_of, seeded
from trading.exchange.market.tape import Tape, spread_minute
from trading.exchange.market.wide.character import Character
from trading.exchange.market.wide.common import CommonMoves
from trading.exchange.market.wide.happenings import Fate, Lock
from trading.exchange.market.wide.wander import chance, wander

MOST_GAP = 0.7
"""An open stays within this part of the price band."""
SETTLING_DAYS = 5
STIRS = 0.03
"""Share of a locked instrument's minutes in which somebody gives in to the waiting side."""


class Invented:
    """One instrument over all days of a seed. `day` arguments are trading days of the market."""

    def __init__(self, key: str, character: Character, seed: int, common: CommonMoves) -> None:
        self.key = key
        self.character = character
        self.fate = Fate(seed, key, character.band_percent, character.quiet_days, common.day_set)
        self._seed = seed
        self._common = common
        self._number = number_of("invented", seed, key)
        self.close = lru_cache(maxsize=512)(self._close)
        self.bars = lru_cache(maxsize=4)(self._bars)

    @property
    def listing(self) -> Listing:
        """What it is, its grid and its book."""
        return self.character.profile.listing

    def previous_close(self, day: date) -> int:
        """Give the close of the trading day before."""
        return self.close(self._common.day_before(day))

    def hours(self, day: date) -> DayHours:
        """Give when it trades."""
        return self._common.hours(day, self.listing.instrument.instrument_class)

    def ticks(self, bar: Bar) -> Tape:
        """Spread one of the bars into ticks; an auction's print is one."""
        day = day_of(bar.start_ms)
        if bar.high == bar.low and not self.hours(day).is_continuous(bar.start_ms):
            second = 1000 * (mix(self._number + bar.start_ms) % 60)
            columns = ([bar.start_ms + second], [bar.open], [bar.volume], [bar.open * bar.volume])
            return Tape(*(array("q", column) for column in columns))
        lot, rng = self.listing.depth.lot, seeded("ticks", self._seed, self.key, bar.start_ms)
        tape = spread_minute(rng, self.listing, bar._replace(volume=bar.volume // lot))
        return tape if lot == 1 else tape._replace(volumes=array("q", (lots * lot for lots in tape.volumes)))

    def lock_span(self, day: date) -> tuple[int, int, int] | None:
        """Give (side, from, until) of the day's lock in epoch ms; until the day's last minute for one that holds."""
        lock = self.fate.lock(day)
        if lock is None:
            return None
        since, until = _span(lock, self.hours(day).minutes())
        return lock.side, since, until

    def _close(self, day: date) -> int:
        if day == self._common.days[0]:
            return self._plain(day)
        lock = self.fate.lock(day)
        if lock is not None and lock.until == 1.0:
            return circuits(self.previous_close(day), self.character.band_percent, self.listing.step)[lock.side > 0]
        if self.fate.is_quiet(day):
            return self.previous_close(day)
        plain = self._plain(day)
        if not self._is_unsettled(day):
            return plain
        least, most = circuits(self.previous_close(day), self.character.band_percent, self.listing.step)
        return min(max(plain, least), most)

    def _is_unsettled(self, day: date) -> bool:
        """Say whether a lock of the days before may leave more to go than one day's band allows."""
        for _ in range(SETTLING_DAYS):
            day = self._common.day_before(day)
            if self.fate.lock(day) is not None:
                return True
        return False

    def _plain(self, day: date) -> int:
        """Give the close that the wandering line, the market and earlier locks make."""
        profile = self.character.profile
        walked = self.character.day_move * wander(self._number, day.toordinal())
        own = 1 + walked if walked >= 0 else 1 / (1 - walked)
        market = 1 + profile.market * (self._common.level(day) - 1)
        return max(self.listing.step, snap(profile.base_price * own * market * self.fate.lift(day), self.listing.step))

    def _bars(self, day: date) -> tuple[Bar, ...]:
        """Make a day's minutes: none on a day without a trade, and hardly any while it is locked."""
        if self.fate.is_quiet(day):
            return ()
        before, close = self.previous_close(day), self.close(day)
        rng = seeded("invented", self._seed, self.key, day)
        gap = self._common.way(day).gap * self.character.profile.market + self.character.day_move * 0.36 * fat_bell(rng)
        most = MOST_GAP * (self.character.band_percent or 10) / 100
        opened = max(self.listing.step, snap(before * (1 + max(-most, min(most, gap))), self.listing.step))
        lock, hours = self.fate.lock(day), self.hours(day)
        if lock is None:
            return self._walk(day, "day", InstrumentDay(self._own(), before, opened, close), hours)
        circuit = circuits(before, self.character.band_percent, self.listing.step)[lock.side > 0]
        since, until = _span(lock, hours.minutes())
        head = self._walk(day, "before", InstrumentDay(self._own(), before, opened, circuit), _cut(hours, 0, since))
        tail = self._walk(day, "after", InstrumentDay(self._own(), before, circuit, close), _cut(hours, until, 1 << 62))
        return (*head, *self._locked(circuit, since, until), *tail)

    def _own(self) -> Stretch:
        return Stretch(0.0, 0.0, self.character.day_move, 0.0)

    def _walk(self, day: date, part: str, plan: InstrumentDay, hours: DayHours) -> tuple[Bar, ...]:
        """Go from open to close over these hours, as the market does."""
        minutes = hours.minutes()
        if not minutes:
            return ()
        profile, way = self.character.profile, self._common.way(day).moves
        common, last = [], 0.0
        for start in minutes:
            last = way.get(start, last)
            common.append(profile.market * last)
        rng = seeded("minutes", self._seed, self.key, day, part)
        bars = stock_bars(rng, profile, plan, common, self.character.day_move, hours)
        return tuple(_fitting(bar, self.listing) for bar in bars)

    def _locked(self, circuit: int, since: int, until: int) -> list[Bar]:
        """Give the minutes at the circuit: the first, and the few in which somebody trades against the queue."""
        usual = max(1, self.character.profile.daily_volume // 375)
        return [
            Bar(start, circuit, circuit, circuit, circuit, max(1, int(usual * chance(self._number + start + 1))))
            for start in range(since, until, MINUTE_MS)
            if start == since or chance(self._number + start) < STIRS
        ]


def _span(lock: Lock, minutes: list[int]) -> tuple[int, int]:
    """Give the first locked minute and the end of the lock."""
    first = int(lock.since * (len(minutes) - 1))
    if lock.until == 1.0:
        return minutes[first], minutes[-1] + MINUTE_MS
    return minutes[first], minutes[max(first + 1, int(lock.until * len(minutes)))]


def _cut(hours: DayHours, since: int, until: int) -> DayHours:
    """Give the part of a day's continuous hours between two moments, without auctions."""
    spans = [(max(begin, since), min(end, until)) for begin, end in hours.continuous]
    return DayHours(tuple((begin, end) for begin, end in spans if begin < end))


def _fitting(bar: Bar, listing: Listing) -> Bar:
    """Keep a very cheap share above nothing, and trades in whole lots."""
    step, lot = listing.step, listing.depth.lot
    volume = bar.volume if lot == 1 else max(1, bar.volume // lot) * lot
    first, high, low, close = (max(step, price) for price in bar[1:5])
    return Bar(bar.start_ms, first, high, low, close, volume)
