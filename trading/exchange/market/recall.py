"""Contracts by their name alone: those that a kept ledger holds and today's dump lists no more.

An expiry may be over, or the price may have gone so far that the strike is not among the listed ones.
"""

import re
from collections.abc import Container
from datetime import date
from decimal import Decimal
from typing import Final

from trading.domain.instruments import Instrument, InstrumentType
from trading.exchange.market.data.names import WITH_DERIVATIVES
from trading.exchange.market.dump_derivatives import (
    BSE_FAMILIES,
    CDS_FAMILIES,
    INDEX_FAMILIES,
    MCX_FAMILIES,
    Family,
    share_family,
)
from trading.exchange.market.dump_row import Tokens
from trading.exchange.market.expiries import MONTH_LETTERS, MONTH_NAMES, monthly
from trading.exchange.market.hours import Hours

_FAMILIES: Final = {"NFO": INDEX_FAMILIES, "BFO": BSE_FAMILIES, "MCX": MCX_FAMILIES, "CDS": CDS_FAMILIES}
_REST: Final = re.compile(
    rf"(\d\d)(?:({'|'.join(MONTH_NAMES)})|([{MONTH_LETTERS}])(\d\d))(?:FUT|(\d+(?:\.\d+)?)(CE|PE))"
)


def contract_named(key: str, calendar: Hours, taken: Container[int]) -> Instrument | None:
    """Read `NFO:NIFTY26NOV26000CE` as the contract it names, None for what is no contract's name.

    Its token is the one that the dump would give it, or the next that is not `taken`.
    """
    exchange, _, symbol = key.partition(":")
    for family in _families(exchange, symbol):
        match = _REST.fullmatch(symbol, len(family.name))
        if match is not None:
            return _contract(exchange, symbol, family, match, calendar, taken)
    return None


def _families(exchange: str, symbol: str) -> list[Family]:
    """Give the families whose name the symbol begins with, the longest name first."""
    known = [family for family in _FAMILIES.get(exchange, ()) if symbol.startswith(family.name)]
    if exchange == "NFO":
        known += [share_family(name, None) for name in WITH_DERIVATIVES if symbol.startswith(name)]
    return sorted(known, key=lambda family: -len(family.name))


def _contract(
    exchange: str, symbol: str, family: Family, match: re.Match[str], calendar: Hours, taken: Container[int]
) -> Instrument | None:
    year, month_name, letter, day_of_month, strike, kind = match.groups()
    month = MONTH_NAMES.index(month_name) + 1 if month_name else MONTH_LETTERS.index(letter) + 1
    try:
        expiry = date(2000 + int(year), month, int(day_of_month or 1))
    except ValueError:
        return None
    if month_name:
        expiry = monthly(exchange, expiry, 1, calendar)[0]
    token, _ = Tokens(exchange, {}).of(symbol)
    while token in taken:
        token += 1 << 8
    return Instrument(
        exchange=exchange,
        tradingsymbol=symbol,
        token=token,
        tick_size=Decimal(family.option_tick if strike else family.future_tick),
        lot_size=family.lot_size,
        instrument_type=InstrumentType(kind or "FUT"),
        segment=f"{exchange}-{'OPT' if strike else 'FUT'}",
        name=family.name,
        expiry=expiry,
        strike=Decimal(strike or 0),
    )
