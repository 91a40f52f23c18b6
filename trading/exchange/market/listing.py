"""What is listed: the instruments that trade here, and each one's character.

Tokens are Kite's (exchange token x 256 + segment number), tick sizes follow NSE's price slabs.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from trading.domain.instruments import Instrument, InstrumentType
from trading.domain.money import PRICE_SCALE, to_scaled
from trading.exchange.market.data.names import WITH_DERIVATIVES
from trading.exchange.market.quotes import Depth
from trading.exchange.market.randomness import number_of

INDEX_STEP: Final = 500
"""Indices are computed in steps of 0.05; their dump row says tick size 0."""

SLABS: Final = ((250, "0.01"), (1000, "0.05"), (5000, "0.10"), (10_000, "0.50"), (20_000, "1.00"))
"""NSE's tick size by price, below each bound in rupees; 5.00 above the last (circular in force since April 2025)."""
TOP_SLAB: Final = Decimal("5.00")

NSE_SEGMENT_NUMBER: Final = 1
OPERATING_BAND_PERCENT: Final = 10
"""A stock with derivatives has no fixed band: its operating range begins at 10 % and is flexed by 5 % when reached."""
FIXED_BAND_PERCENT: Final = 20


@dataclass(frozen=True, slots=True)
class Listing:
    """One traded instrument: what it is, its price grid and how busy it is.

    `step` is the price grid in 1/10,000 rupee, `busy` the share of seconds with a trade in an average
    minute, `depth` the thickness of its book.
    """

    instrument: Instrument
    step: int
    busy: float
    depth: Depth
    band_percent: int = FIXED_BAND_PERCENT
    """Of a stock without derivatives."""

    @property
    def token(self) -> int:
        """The feed token."""
        return self.instrument.token

    @property
    def is_index(self) -> bool:
        """True when nobody can trade it."""
        return not self.instrument.is_tradable

    @property
    def has_fixed_band(self) -> bool:
        """True for a stock without derivatives; an index has no circuit here."""
        return not self.is_index and not self.instrument.has_derivatives


@dataclass(frozen=True, slots=True)
class Profile:
    """How a generated instrument moves. Deviations are fractions of the price.

    `base_price` (1/10,000 rupee) is where it is drawn back to over the months. `market` and `bank` are its
    loadings on the two common factors; `own_gap` and `own_day` the deviations of its own overnight gap and of
    its own day from open to close; `daily_volume` units on an ordinary day; `silent_share` the share of
    minutes without a trade.
    """

    listing: Listing
    base_price: int
    market: float
    bank: float
    own_gap: float
    own_day: float
    daily_volume: int
    silent_share: float


KNOWN_TOKENS: Final[dict[str, int]] = {
    "NIFTY 50": 256265, "NIFTY BANK": 260105, "INDIA VIX": 264969, "RELIANCE": 738561, "INFY": 408065,
    "HDFCBANK": 341249, "ICICIBANK": 1270529, "TATAMOTORS": 884737, "SBIN": 779521, "AXISBANK": 1510401,
    "LT": 2939649, "ABBOTINDIA": 4583169, "GILLETTE": 403457, "ADANIENT": 6401, "BEL": 98049,
    "BHARTIARTL": 2714625, "HINDALCO": 348929, "HINDUNILVR": 356865, "KOTAKBANK": 492033, "LTIM": 4561409,
    "MARUTI": 2815745, "AUBANK": 5436929, "BANDHANBNK": 579329, "BANKBARODA": 1195009, "FEDERALBNK": 261889,
    "IDFCFIRSTB": 2863105, "INDUSINDBK": 1346049, "PNB": 2730497,
}  # fmt: skip

INDICES: Final = frozenset({"NIFTY 50", "NIFTY BANK", "INDIA VIX"})

NAMES_WITHOUT_DERIVATIVES: Final = {"ABBOTINDIA": "ABBOTT INDIA", "GILLETTE": "GILLETTE INDIA"}


def slab_tick(price: Decimal) -> Decimal:
    """Give NSE's tick size for a share of this price in rupees."""
    return next((Decimal(tick) for bound, tick in SLABS if price < bound), TOP_SLAB)


def circuits(close: int, percent: int, step: int) -> tuple[int, int]:
    """Give the lower and upper circuit around yesterday's close, on the price grid, inside the band."""
    return -(close * (100 - percent) // 100 // -step) * step, close * (100 + percent) // 100 // step * step


def token_of(symbol: str) -> int:
    """Give the known token of an NSE symbol, else one that is derived from its letters and never changes."""
    known = KNOWN_TOKENS.get(symbol)
    return known if known is not None else derived_token("NSE", symbol, NSE_SEGMENT_NUMBER)


def derived_token(exchange: str, symbol: str, segment_number: int) -> int:
    """Make a stable token for a symbol that we have no real one for.

    Exchange tokens from 200,000 to 749,999, times 256, plus the segment number.
    """
    return (200_000 + number_of("token", exchange, symbol) % 550_000) * 256 + segment_number


def stock(symbol: str, tick_size: Decimal, *, daily_volume: int, busy: float, spread_steps: int) -> Listing:
    """List a share of NSE's equity segment."""
    instrument = Instrument(
        exchange="NSE",
        tradingsymbol=symbol,
        token=token_of(symbol),
        tick_size=tick_size,
        lot_size=1,
        segment="NSE",
        name=WITH_DERIVATIVES.get(symbol) or NAMES_WITHOUT_DERIVATIVES.get(symbol, symbol),
        has_derivatives=symbol in WITH_DERIVATIVES,
    )
    step = to_scaled(tick_size)
    return Listing(instrument, step, busy, Depth(step, max(2, daily_volume // 4000), spread_steps))


def index(name: str, *, step: int = INDEX_STEP) -> Listing:
    """List an index: exchange NSE, segment INDICES, tick and lot 0, ticking most seconds."""
    instrument = Instrument(
        exchange="NSE",
        tradingsymbol=name,
        token=token_of(name),
        tick_size=Decimal(0),
        lot_size=0,
        instrument_type=InstrumentType.INDEX,
        segment="INDICES",
        name=name,
    )
    return Listing(instrument, step, 0.8, Depth(step, 0, 1))


def _share(
    symbol: str, price: int, market: float, bank: float, own_day: float, daily_volume: int, busy: float, spread: int
) -> Profile:
    listing = stock(symbol, slab_tick(Decimal(price)), daily_volume=daily_volume, busy=busy, spread_steps=spread)
    silent = 0.0 if busy > 0.3 else 0.06
    return Profile(listing, price * PRICE_SCALE, market, bank, own_day * 0.36, own_day, daily_volume, silent)


def _index(name: str, price: int, market: float, bank: float) -> Profile:
    return Profile(index(name), price * PRICE_SCALE, market, bank, 0.0, 0.0, 0, 0.0)


PROFILES: Final = (
    _index("NIFTY 50", 25_900, 1.0, 0.0),
    _index("NIFTY BANK", 59_200, 1.05, 1.0),
    _share("RELIANCE", 1430, 1.10, 0.0, 0.0108, 9_000_000, 0.60, 1),
    _share("INFY", 1560, 0.85, 0.0, 0.0105, 7_000_000, 0.55, 1),
    _share("HDFCBANK", 985, 0.95, 0.9, 0.0092, 19_000_000, 0.60, 1),
    _share("ICICIBANK", 1370, 1.05, 0.9, 0.0112, 13_000_000, 0.58, 1),
    _share("TATAMOTORS", 715, 1.20, 0.0, 0.0135, 10_000_000, 0.55, 1),
    _share("SBIN", 870, 1.10, 0.8, 0.0112, 11_000_000, 0.56, 1),
    _share("AXISBANK", 1245, 1.10, 1.0, 0.0122, 7_500_000, 0.52, 1),
    _share("LT", 3960, 1.05, 0.0, 0.0120, 2_300_000, 0.45, 2),
    _share("ABBOTINDIA", 29_400, 0.40, 0.0, 0.0110, 11_000, 0.12, 2),
    _share("GILLETTE", 8800, 0.45, 0.0, 0.0110, 26_000, 0.15, 5),
)
"""The generated market: two indices, eight stocks with derivatives, two without."""
