"""What an invented share, bond, index, commodity or currency is like: its price, how it moves, how often it trades."""

from decimal import Decimal
from typing import Final, NamedTuple

from trading.domain.instruments import Instrument, InstrumentType
from trading.domain.money import PRICE_SCALE, to_scaled
from trading.exchange.market.data.names import WITH_DERIVATIVES
from trading.exchange.market.dump_derivatives import (
    BSE_FAMILIES,
    CDS_FAMILIES,
    INDEX_FAMILIES,
    INDEX_OF_UNDERLYING,
    MCX_FAMILIES,
    Family,
    base_price,
)
from trading.exchange.market.listing import INDEX_STEP, Listing, Profile
from trading.exchange.market.quotes import Depth
from trading.exchange.market.randomness import number_of
from trading.exchange.market.wide.wander import chance

BANDS: Final = ((0.78, 20), (0.86, 10), (0.98, 5), (1.0, 2))
"""Price bands of shares without derivatives, cumulated. Source: NSE's list of December 2025 (series EQ, BE and SM)."""
CLASSES: Final = ((0.35, 300_000, 0.30, 0.02), (0.75, 20_000, 0.08, 0.35), (1.0, 800, 0.02, 0.93))
"""Shares by how much they trade, cumulated: units of a day, share of seconds, share of minutes without a trade."""
BOND_PRICE_RUPEES: Final = 100
SERIES_BANDS: Final = {"-BE": 5, "-SM": 5}


class Character(NamedTuple):
    """`profile` says how a day is made; `day_move` is the deviation of a day as a fraction, `band_percent` 0: none.

    `quiet_days` is the share of days on which nobody trades it.
    """

    profile: Profile
    day_move: float
    band_percent: int
    quiet_days: float


def character_of(instrument: Instrument) -> Character:
    """Give the character of something in a cash segment of the dump."""
    if instrument.instrument_type is InstrumentType.INDEX:
        return _index(instrument)
    if instrument.tradingsymbol in WITH_DERIVATIVES:
        price = base_price(instrument.tradingsymbol)
        return _made(instrument, price, units=2_000_000_000 / price, busy=0.45, silent=0.0, move=0.013, band=0)
    if instrument.lot_size > 1 or instrument.tradingsymbol[:3].isdecimal():
        return _made(instrument, BOND_PRICE_RUPEES, units=400, busy=0.01, silent=0.99, move=0.001, band=5, quiet=0.85)
    return _share(instrument)


def family_character(exchange: str, family: Family) -> Character:
    """Give the character of what commodity and currency contracts stand on; nobody can trade it itself."""
    step = Decimal(family.future_tick)
    spot = Instrument(exchange, family.name, 0, step, 0, InstrumentType.INDEX, segment="SPOT", name=family.name)
    move = 0.0025 if exchange == "CDS" else 0.010
    return _made(spot, family.price, units=0, busy=0.6, silent=0.0, move=move, band=0)


def family_of(exchange: str, underlying: str) -> Family | None:
    """Find a commodity or currency by the name in a contract's row."""
    families = {"MCX": MCX_FAMILIES, "CDS": CDS_FAMILIES}.get(exchange, ())
    return next((family for family in families if family.name == underlying), None)


def _index(instrument: Instrument) -> Character:
    price = _INDEX_PRICES.get(instrument.key, 0.0) or 4_000.0 + number_of("index", instrument.key) % 30_000
    return _made(instrument, price, units=0, busy=0.6, silent=0.0, move=0.0065, band=0)


_INDEX_PRICES: Final = {
    INDEX_OF_UNDERLYING[family.name]: float(family.price) for family in (*INDEX_FAMILIES, *BSE_FAMILIES)
} | {"NSE:INDIA VIX": 13.0}


def _share(instrument: Instrument) -> Character:
    number = number_of("share", instrument.exchange, instrument.tradingsymbol)
    band = next(percent for share, percent in BANDS if chance(number) < share)
    band = SERIES_BANDS.get(instrument.tradingsymbol[-3:], band)
    price = 12.0
    for _ in range(number % 60):
        price *= 1.09
    _, units, busy, silent = next(row for row in CLASSES if chance(number + 1) < row[0])
    quiet = 0.15 if silent > 0.9 else 0.0
    return _made(instrument, price, units * 100 / price + 20, busy, silent, min(0.022, band / 800), band, quiet)


def _made(
    instrument: Instrument,
    price: float,
    units: float,
    busy: float,
    silent: float,
    move: float,
    band: int,
    quiet: float = 0.0,
) -> Character:
    step = INDEX_STEP if instrument.tick_size == 0 else to_scaled(instrument.tick_size)
    base = max(20 * step, int(price * PRICE_SCALE / step + 0.5) * step)
    usual_spread = 1 if busy > 0.3 else 4
    depth = Depth(step, max(2, int(units) // 4000) if units else 0, usual_spread, max(1, instrument.lot_size))
    listing = Listing(instrument, step, busy, depth, band or 20)
    market = 1.0 if band == 0 and move < 0.02 and instrument.segment != "SPOT" else 0.0
    return Character(Profile(listing, base, market, 0.0, move * 0.36, move, int(units), silent), move, band, quiet)
