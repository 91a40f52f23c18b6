"""What contracts stand on: an instrument with a tape of its own, or an invented one; both look the same here."""

from collections.abc import Sequence
from datetime import date
from typing import Protocol

from trading.exchange.market.bar import Bar
from trading.exchange.market.listing import Listing
from trading.exchange.market.source import Source
from trading.exchange.market.state import InstrumentState
from trading.exchange.market.wide.invented import Invented
from trading.exchange.market.wide.reference import Ticks, ticks_of_tape


class Spot(Protocol):
    """One underlying over all days."""

    @property
    def listing(self) -> Listing: ...
    def bars(self, day: date) -> Sequence[Bar]: ...
    def previous_close(self, day: date) -> int: ...
    def ticks(self, bar: Bar) -> Ticks:
        """Give the ticks of a bar of the traded day."""


class TapedSpot:
    """Implements `Spot` on the source of the tapes."""

    def __init__(self, state: InstrumentState, source: Source) -> None:
        self.listing = state.listing
        self._state = state
        self._source = source

    def bars(self, day: date) -> Sequence[Bar]:
        """Give a day's minutes."""
        return self._source.bars(self.listing.token, day)

    def previous_close(self, day: date) -> int:
        """Give the close before a day."""
        return self._source.previous_close(self.listing.token, day)

    def ticks(self, bar: Bar) -> Ticks:
        """Read them from the day's tape."""
        return ticks_of_tape(self._state.tape, bar)


class InventedSpot:
    """Implements `Spot` on an invented instrument."""

    def __init__(self, invented: Invented) -> None:
        self.invented = invented
        self.listing = invented.listing

    def bars(self, day: date) -> Sequence[Bar]:
        """Give a day's minutes."""
        return self.invented.bars(day)

    def previous_close(self, day: date) -> int:
        """Give the close before a day."""
        return self.invented.previous_close(day)

    def ticks(self, bar: Bar) -> Ticks:
        """Spread the bar."""
        tape = self.invented.ticks(bar)
        return list(zip(tape.times, tape.prices, strict=True))
