"""Makes the day of any contract: its reference price, its term, how much it trades, how much of it is open."""

from datetime import date, timedelta
from functools import lru_cache
from typing import Final

from trading.domain.instruments import Instrument, InstrumentClass, InstrumentType
from trading.domain.money import PRICE_SCALE, to_scaled
from trading.exchange.market.expiries import monthly, weekly
from trading.exchange.market.hours import Hours
from trading.exchange.market.listing import Listing
from trading.exchange.market.quotes import Depth
from trading.exchange.market.randomness import number_of
from trading.exchange.market.wide import liquidity
from trading.exchange.market.wide.common import CommonMoves
from trading.exchange.market.wide.contract import Contract
from trading.exchange.market.wide.pricing import INDEX_LEVEL, Level, option_value, width_of
from trading.exchange.market.wide.reference import Reference
from trading.exchange.market.wide.spots import Spot
from trading.exchange.market.wide.term import Term
from trading.exchange.market.wide.wander import chance

WITH_WEEKS: Final = {"NIFTY": 5, "SENSEX": 9}
MONTHS: Final = {"NFO": 3, "BFO": 3, "MCX": 6, "CDS": 9}
CURRENCY_WEEKS: Final = 7
OTHER_LEVELS: Final = {"MCX": Level(0.17, 0.20, 20.0), "CDS": Level(0.030, 0.040, 30.0)}
INDEX_NAMES: Final = frozenset({"NIFTY", "BANKNIFTY", "FINNIFTY", "MIDCPNIFTY", "SENSEX", "BANKEX"})
TOUCH_RUPEES: Final = 100_000
"""What waits at the best price of an index option: 1,200 units at Rs 90, 20,000 at Rs 5 in the chain."""
OPENING_DAYS: Final = 12
"""Open interest is built up over about so many days before expiry."""
OTHER_SPREAD: Final = 3.0
"""How many times wider the book of other contracts is than that of index options. Assumed."""
MOST_KEPT: Final = 500
"""Days of underlyings that are kept, about 60 KB each."""
MIRROR_SHARE: Final = 0.06
"""What of NSE's volume the same share has at BSE. Assumed."""


class Contracts:
    """Contracts of one seed on any day. What is made for a day is kept while it is looked at."""

    def __init__(self, day: date, seed: int, common: CommonMoves, calendar: Hours) -> None:
        self._today = day
        self._seed = seed
        self._common = common
        self._calendar = calendar
        self._references: dict[tuple[str, date, InstrumentClass], Reference] = {}
        self._term = lru_cache(maxsize=2000)(self._make_term)
        self._expiries = lru_cache(maxsize=512)(self._make_expiries)

    def made(self, instrument: Instrument, spot: Spot, day: date) -> Contract:
        """Make a contract's day; its previous close is not known here."""
        if instrument.expiry is None:
            return self._mirror(instrument, spot, day)
        reference = self._reference(spot, day, InstrumentClass.DERIVATIVE)
        expiries = self._expiries(instrument.exchange, instrument.name, day)
        is_future = instrument.instrument_type is InstrumentType.FUT
        weeks, months = expiries
        ahead = months if is_future else sorted({*weeks, *months})
        rank = sum(1 for each in ahead if each < instrument.expiry)
        term = self._term(reference, instrument.expiry, rank, instrument.exchange, instrument.name)
        number = number_of("contract", self._seed, instrument.key)
        trade = liquidity.family_trade(instrument.exchange, instrument.name)
        volume, interest = liquidity.rank_of(liquidity.FUTURE_RANKS if is_future else liquidity.OPTION_RANKS, rank)
        luck = liquidity.luck(number)
        following = day + timedelta(days=1)
        if is_future:
            lots = trade.future * volume * luck
            open_lots = trade.future * interest * liquidity.FUTURE_INTEREST * luck
            begin = end = open_lots
        else:
            z = _outside(instrument, reference.previous_close, term)
            lots = trade.option * volume * liquidity.traded(z) * luck
            open_lots = trade.option * interest * liquidity.OPTION_INTEREST * luck
            begin = open_lots * liquidity.held(z)
            end = open_lots * liquidity.held(_outside(instrument, reference.close, term))
        begin *= _built(number, day, instrument.expiry)
        end *= _built(number, following, instrument.expiry)
        lot = max(1, instrument.lot_size)
        return Contract(
            _listing(instrument, reference, term, rank),
            reference,
            term,
            day_lots=lots,
            interest=(int(begin) * lot, int(end) * lot),
            spread_factor=1.0 if instrument.name in INDEX_NAMES else OTHER_SPREAD,
            salt=number_of("minutes", self._seed, instrument.key, day) >> 4,
        )

    def _mirror(self, instrument: Instrument, spot: Spot, day: date) -> Contract:
        """Make BSE's day of a share that NSE trades too."""
        reference = self._reference(spot, day, instrument.instrument_class)
        term = self._term(reference, None, 0, instrument.exchange, instrument.tradingsymbol)
        step = to_scaled(instrument.tick_size)
        units = max(1, int(sum(bar.volume for bar in reference.bars) * MIRROR_SHARE))
        return Contract(
            Listing(instrument, step, 1.0, Depth(step, max(2, units // 4000), 2)),
            reference,
            term,
            day_lots=units,
            interest=(0, 0),
            spread_factor=OTHER_SPREAD,
            salt=number_of("minutes", self._seed, instrument.key, day) >> 4,
        )

    def _reference(self, spot: Spot, day: date, instrument_class: InstrumentClass) -> Reference:
        key = (spot.listing.instrument.key, day, instrument_class)
        found = self._references.get(key)
        if found is None:
            if len(self._references) >= MOST_KEPT:
                self._references.clear()
            found = self._references[key] = Reference(
                spot.listing,
                spot.bars(day),
                self._common.hours(day, instrument_class).minutes(),
                spot.previous_close(day),
                f"{self._seed}|{day}",
                spot.ticks if day == self._today else None,
                day,
            )
        return found

    def _make_term(self, reference: Reference, expiry: date | None, rank: int, exchange: str, name: str) -> Term:
        expiry_ms = 0 if expiry is None else self._common.hours(expiry, InstrumentClass.DERIVATIVE).continuous[-1][1]
        word = f"{self._seed}|{exchange}|{name}"
        carry = 0.0 if exchange == "CDS" else 1.0
        return Term(reference, expiry, expiry_ms, rank, _level(exchange, name), word, carry)

    def _make_expiries(self, exchange: str, name: str, day: date) -> tuple[tuple[date, ...], tuple[date, ...]]:
        """Give a family's weekly and monthly expiries from a day on."""
        weeks = CURRENCY_WEEKS if exchange == "CDS" else WITH_WEEKS.get(name, 0)
        return (
            tuple(weekly(exchange, day, weeks, self._calendar)),
            tuple(monthly(exchange, day, MONTHS[exchange], self._calendar)),
        )


def _level(exchange: str, name: str) -> Level:
    """Give the usual volatility of a family; a share's is drawn by its name (stock options of 2023: 0.12 to 0.26)."""
    if name in INDEX_NAMES:
        return INDEX_LEVEL
    if exchange in OTHER_LEVELS:
        return OTHER_LEVELS[exchange]
    usual = 0.16 + 0.20 * chance(number_of("volatility", name))
    return Level(0.92 * usual, 1.05 * usual, 20.0)


def _outside(instrument: Instrument, spot: int, term: Term) -> float:
    """Give how many deviations a strike is out of the money (negative: in it) at a price of the underlying."""
    factor, deviation = term.at(0)
    z = (to_scaled(instrument.strike) / (spot * factor) - 1) / deviation
    return z if instrument.instrument_type is InstrumentType.CE else -z


def _built(number: int, day: date, expiry: date) -> float:
    """Give what part of a contract's open interest has been built up by the morning of a day."""
    left = (expiry - day).days
    if left < 0:
        return 0.35
    return (0.9 + 0.2 * chance(number + day.toordinal())) / (1 + left / OPENING_DAYS)


def _listing(instrument: Instrument, reference: Reference, term: Term, rank: int) -> Listing:
    """Give grid and depth: about so many rupees wait at an option's best price, five lots at a future's."""
    step, lot = to_scaled(instrument.tick_size), max(1, instrument.lot_size)
    if instrument.instrument_type is InstrumentType.FUT:
        return Listing(instrument, step, 1.0, Depth(step, 5 * lot, 1, lot))
    factor, deviation = term.at(0)
    forward = reference.previous_close * factor
    width = width_of(forward, to_scaled(instrument.strike), deviation)
    sign = 1 if instrument.instrument_type is InstrumentType.CE else -1
    worth = max(step, option_value(sign * (forward - to_scaled(instrument.strike)), width)) / PRICE_SCALE
    rupees = TOUCH_RUPEES / (1 + 3 * rank) / (1 if instrument.name in INDEX_NAMES else OTHER_SPREAD)
    return Listing(instrument, step, 1.0, Depth(step, max(lot, int(rupees / worth)), 1, lot))
