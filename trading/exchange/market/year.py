"""What a seeded year of the generated market holds, told without making its days: gaps, news, locks, silent days.

For whoever looks for a day to play: a night with news, a share that is locked at its circuit, a day without a trade.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

from trading.exchange.market.calendar_hours import CalendarHours
from trading.exchange.market.daychain import DayChain
from trading.exchange.market.directory import instrument_of
from trading.exchange.market.dump import Dump
from trading.exchange.market.generated import FIRST_DAY
from trading.exchange.market.hours import Hours
from trading.exchange.market.listing import PROFILES
from trading.exchange.market.wide.character import character_of
from trading.exchange.market.wide.common import LEADING_INDEX
from trading.exchange.market.wide.happenings import Fate

UPPER, LOWER = "upper", "lower"


class LockNote(NamedTuple):
    """A share at its circuit: `since` and `until` are shares of the day's minutes, `until` 1 holds to the close."""

    symbol: str
    side: str
    since: float
    until: float


class DayNote(NamedTuple):
    """One day: NIFTY 50's gap and close against the close before in percent, and what is out of the ordinary.

    `news` are prices that opened far away, in percent by symbol (the market's as NIFTY 50); `silent` nobody trades.
    """

    day: date
    gap_percent: float
    close_percent: float
    news: dict[str, float]
    locks: tuple[LockNote, ...]
    silent: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Give it as JSON-able data."""
        return self._asdict() | {"day": self.day.isoformat(), "locks": [lock._asdict() for lock in self.locks]}


def year_notes(seed: int, year: int, symbols: Sequence[str] = (), calendar: Hours | None = None) -> Iterator[DayNote]:
    """Tell the trading days of a year, in order. With symbols of NSE only the days on which something befalls them.

    Raises ValueError for a year without a trading day, and for a symbol that the dump does not list.
    """
    calendar = calendar or CalendarHours()
    span = [FIRST_DAY + timedelta(days=ahead) for ahead in range((date(year, 12, 31) - FIRST_DAY).days + 1)]
    days = [day for day in span if calendar.may_trade(day)]
    wanted = [day for day in days if day.year == year and calendar.is_trading_day(day)]
    if not wanted:
        raise ValueError(f"year must be one that the calendar knows, from {FIRST_DAY.year + 1} on, was {year}")
    fates = dict(_fates(seed, days, symbols, calendar))
    chain = DayChain(PROFILES, seed, days)
    for day in wanted:
        note = _note(day, chain, fates)
        if not symbols or note.locks or note.silent or not note.news.keys().isdisjoint(symbols):
            yield note


def _fates(seed: int, days: Sequence[date], symbols: Sequence[str], calendar: Hours) -> Iterator[tuple[str, Fate]]:
    """Give the fate of each share without a tape of its own."""
    taped = {profile.listing.instrument.tradingsymbol for profile in PROFILES}
    dump = Dump(days[-1], calendar, [profile.listing for profile in PROFILES], lambda exchange, underlying: None)
    listed = {entry.row.symbol: entry for entry in dump.entries("NSE")}
    unknown = [symbol for symbol in symbols if symbol not in listed]
    if unknown:
        raise ValueError(f"symbol must be one of NSE's in the dump, as RELIANCE, was {unknown[0]!r}")
    trading = frozenset(days)
    for symbol in symbols or listed:
        instrument = instrument_of("NSE", listed[symbol])
        is_share = instrument.is_tradable and not symbol[:3].isdecimal()
        if symbol in taped or not (is_share or symbols):
            continue
        character = character_of(instrument)
        if character.band_percent:
            yield symbol, Fate(seed, instrument.key, character.band_percent, character.quiet_days, trading)


def _note(day: date, chain: DayChain, fates: dict[str, Fate]) -> DayNote:
    leading, shock = chain[day].instruments[LEADING_INDEX], chain.shocks.of(day)
    names = {profile.listing.token: profile.listing.instrument.tradingsymbol for profile in PROFILES}
    sizes = {LEADING_INDEX: shock.market} if shock.market else {}
    news = {names[token]: _percent(size) for token, size in (sizes | shock.stocks).items()}
    return DayNote(
        day=day,
        gap_percent=_percent(leading.open / leading.previous_close - 1),
        close_percent=_percent(leading.close / leading.previous_close - 1),
        news=news,
        locks=tuple(_locks(day, fates.items())),
        silent=tuple(symbol for symbol, fate in fates.items() if fate.is_quiet(day)),
    )


def _locks(day: date, fates: Iterable[tuple[str, Fate]]) -> Iterator[LockNote]:
    for symbol, fate in fates:
        lock = fate.lock(day)
        if lock is not None:
            yield LockNote(symbol, UPPER if lock.side > 0 else LOWER, round(lock.since, 3), round(lock.until, 3))


def _percent(fraction: float) -> float:
    return round(100 * fraction, 2)
