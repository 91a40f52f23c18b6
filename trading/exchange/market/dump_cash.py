"""The dump's rows of the cash segments: indices, shares, debt."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from trading.exchange.market.data.names import (
    BSE_INDEX_NAMES,
    FIRST_WORDS,
    INDEX_NAMES,
    LAST_WORDS,
    LENDERS,
    STATES,
    WITH_DERIVATIVES,
)
from trading.exchange.market.dump_row import Row
from trading.exchange.market.listing import Listing
from trading.exchange.market.randomness import mix

NSE_SHARES: Final = 2500
NSE_BONDS: Final = 6300
BSE_SHARES: Final = 3600
BSE_BONDS: Final = 8900
TICKS: Final = ("0.01", "0.01", "0.05", "0.05", "0.1")


def nse_rows(listings: Sequence[Listing]) -> Iterator[Row]:
    """Give NSE: the traded universe first, as it trades."""
    yield from (_listed(listing) for listing in listings)
    yield from (_index(name) for name in INDEX_NAMES)
    yield from (_share(symbol, name, "NSE") for symbol, name in WITH_DERIVATIVES.items())
    yield from (_share(symbol, name, "NSE") for symbol, name in islice(_invented(), NSE_SHARES))
    yield from (_bond(place, "NSE") for place in range(NSE_BONDS))


def bse_rows(listings: Sequence[Listing]) -> Iterator[Row]:
    """Give BSE: the same shares under its own tokens, and more."""
    yield from (_index(name) for name in BSE_INDEX_NAMES)
    shares = [listing.instrument for listing in listings if not listing.is_index]
    yield from (_share(share.tradingsymbol, share.name, "BSE") for share in shares)
    yield from (_share(symbol, name, "BSE") for symbol, name in WITH_DERIVATIVES.items())
    yield from (_share(symbol, name, "BSE") for symbol, name in islice(_invented(), BSE_SHARES))
    yield from (_bond(place, "BSE") for place in range(BSE_BONDS))


def _listed(listing: Listing) -> Row:
    of = listing.instrument
    tick_size = f"{of.tick_size.normalize():f}"
    return Row(of.tradingsymbol, of.name, "", "0", tick_size, of.lot_size, "EQ", of.segment)


def _index(name: str) -> Row:
    return Row(name, name, "", "0", "0", 0, "EQ", "INDICES")


def _share(symbol: str, name: str, exchange: str) -> Row:
    return Row(symbol, name, "", "0", TICKS[mix(len(name) * 7919 + ord(symbol[0])) % len(TICKS)], 1, "EQ", exchange)


def _invented() -> Iterator[tuple[str, str]]:
    """Make symbols and names of companies that do not exist, the same each time; every ninth is an SME or BE series."""
    count = 0
    for code, last in LAST_WORDS:
        for first in FIRST_WORDS:
            count += 1
            series = "" if count % 9 else "-SM" if count % 2 else "-BE"
            yield f"{first[:8]}{code}{series}", f"{first} {last}"


def _bond(place: int, exchange: str) -> Row:
    """Make a state loan, a treasury bill or a company's debenture."""
    chance = mix(place)
    rate, year = 600 + chance % 320, 26 + place % 30
    if place % 8 < 5:
        state = STATES[(chance >> 12) % len(STATES)]
        symbol = f"{rate}{state}{year}{chr(65 + place // 240 % 26)}"
        name = f"SDL {state} {rate / 100:.2f}% 20{year}"
        return Row(f"{symbol}-SG" if exchange == "NSE" else f"SG{symbol}", name, "", "0", "0.01", 100, "EQ", exchange)
    lender = LENDERS[(chance >> 12) % len(LENDERS)]
    symbol = f"{rate}{lender}{year}{chr(65 + place // 240 % 26)}"
    return Row(f"{symbol}-N{place % 10}" if exchange == "NSE" else symbol, "", "", "0", "0.01", 1, "EQ", exchange)
