"""Exits of what continuous trading left over: nothing while the closing auction's reference price is made, then a limit
inside its band. The last net, for stocks that are known to have such an auction.
"""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from trading.domain.auctions import CLOSING_PHASES, AuctionKind, CallAuction, auctions_of
from trading.domain.instruments import Instrument
from trading.domain.money import round_to_tick
from trading.domain.orders import Side
from trading.domain.sessions import PhaseSpan, SessionHours
from trading.engine.tools import Tools

SHARES_OF_BAND = (Decimal("0.8"), Decimal("0.5"), Decimal("0.2"))
"""How far into the band by attempt. Its middle is an average that nobody tells us, and the last price may be off it: a
limit beyond the band is refused, and the next one asks for less."""


class AuctionExits:
    """Asked by a line before each exit. `last_price` gives rupees, None while unknown."""

    def __init__(
        self,
        tools: Tools,
        instrument_of: Callable[[str], Instrument | None],
        last_price: Callable[[str], Decimal | None],
    ) -> None:
        self._tools = tools
        self._instrument_of = instrument_of
        self._last_price = last_price

    def opens_at(self, key: str) -> datetime | None:
        """Give when orders are taken again, while none are but some will be; None when nothing has to wait."""
        hours = self._hours(key)
        span = self._span(hours)
        if hours is None or span is None or span.order_types:
            return None
        return next((later.start for later in hours.phases if later.start >= span.end and _takes_orders(later)), None)

    def is_on(self, key: str) -> bool:
        """Say whether the closing auction takes orders now: what rests there waits for its match."""
        span = self._span(self._hours(key))
        return span is not None and _takes_orders(span)

    def limit(self, key: str, side: Side, attempt: int) -> Decimal | None:
        """Give an exit's limit while the auction takes orders, rupees on the tick; None outside, or without a price."""
        hours, instrument, price = self._hours(key), self._instrument_of(key), self._last_price(key)
        span = self._span(hours)
        if hours is None or instrument is None or price is None or span is None or not _takes_orders(span):
            return None
        auction = _closing(hours)
        if auction is None or auction.rule.band_percent is None:
            return None
        share = SHARES_OF_BAND[min(attempt, len(SHARES_OF_BAND) - 1)]
        return round_to_tick(price * (1 + side.sign * auction.rule.band_percent * share / 100), instrument.tick_size)

    def _hours(self, key: str) -> SessionHours | None:
        instrument = self._instrument_of(key)
        if instrument is None:  # it may trade on: nothing holds its exit
            return None
        return self._tools.deps.calendar.find_session(self._tools.day, instrument.instrument_class)

    def _span(self, hours: SessionHours | None) -> PhaseSpan | None:
        """Give the phase of the closing auction that it is now, None outside."""
        span = hours.at(self._tools.now()) if hours else None
        return span if span is not None and span.phase in CLOSING_PHASES else None


def _takes_orders(span: PhaseSpan) -> bool:
    return span.phase in CLOSING_PHASES and bool(span.order_types)


def _closing(hours: SessionHours) -> CallAuction | None:
    return next((one for one in auctions_of(hours) if one.kind is AuctionKind.CLOSING), None)
