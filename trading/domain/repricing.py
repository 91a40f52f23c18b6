"""Where the limit of an exit that rests unfilled goes next: bounded steps through the market, inside the circuits.

A market order leaves with the broker's own protection and rests where the price ran away from it (protocol notes,
section 5). Each step goes further through the last price; no step goes back, and none leaves the circuit band.
"""

from dataclasses import dataclass
from decimal import Decimal

from trading.domain.instruments import InstrumentType
from trading.domain.money import round_to_tick
from trading.domain.orders import Side

WIDENINGS = (Decimal(2), Decimal(3), Decimal(5))
"""Percent through the last price by step, where the broker's own band is not wider already."""

_SHARES_AND_FUTURES = ((Decimal(100), Decimal(2)), (Decimal(500), Decimal(1)), (None, Decimal("0.5")))
_OPTIONS = ((Decimal(10), Decimal(5)), (Decimal(100), Decimal(3)), (Decimal(500), Decimal(2)), (None, Decimal(1)))


@dataclass(frozen=True, slots=True)
class PriceQuote:
    """What a broker says of an instrument now, rupees: the last price, and the circuit band where it knows one."""

    last: Decimal
    lower_circuit: Decimal | None = None
    upper_circuit: Decimal | None = None

    def farthest(self, side: Side) -> Decimal | None:
        """Give the end of the band at which an order of this side cannot go further through the market."""
        return self.upper_circuit if side is Side.BUY else self.lower_circuit

    def is_locked(self, side: Side) -> bool:
        """Say whether the price stands at the end of the band beyond which nobody trades against this side."""
        end = self.farthest(side)
        return end is not None and (self.last - end) * side.sign >= 0


def automatic_percent(kind: InstrumentType, price: Decimal) -> Decimal:
    """Give the broker's own protection band in percent. Source: its help page on market protection (2026)."""
    bands = _OPTIONS if kind in (InstrumentType.CE, InstrumentType.PE) else _SHARES_AND_FUTURES
    return next(percent for below, percent in bands if below is None or price < below)


def widening(step: int, kind: InstrumentType, price: Decimal) -> Decimal:
    """Give the percent of a step, from 0: never less than the step before, and the last one for all further steps."""
    step = min(step, len(WIDENINGS) - 1)
    return max(WIDENINGS[step], automatic_percent(kind, price) * (step + 2))


def next_limit(side: Side, quote: PriceQuote, percent: Decimal, tick_size: Decimal, present: Decimal | None) -> Decimal:
    """Give the limit of an exit: `percent` through the last price, on the tick, inside the band, never back.

    `present` is where the order stands now, None where that is not known. The answer is `present` where there is
    nothing better.
    """
    wanted = round_to_tick(quote.last * (1 + side.sign * percent / 100), tick_size)
    lower, upper = quote.lower_circuit, quote.upper_circuit
    wanted = wanted if lower is None else max(wanted, lower)
    wanted = wanted if upper is None else min(wanted, upper)
    if present is None or is_beyond(side, wanted, present):
        return wanted
    return present


def is_beyond(side: Side, price: Decimal, other: Decimal) -> bool:
    """Say whether a limit goes further through the market than another."""
    return (price - other) * side.sign > 0
