"""Every tick passes here: two integer comparisons when nothing triggers, however many positions there are."""

from collections.abc import Iterable
from typing import Protocol

from trading.domain.ladder_state import NEVER
from trading.domain.ticks import Tick


class TickTaker(Protocol):
    """One ladder in the book. `bounds` and `until` say which ticks it need not see."""

    @property
    def token(self) -> int: ...
    def bounds(self) -> tuple[int, int]:
        """Open price interval in which nothing happens."""

    def until(self) -> int:
        """Epoch second from which on every tick has to be shown."""

    def on_tick(self, tick: Tick) -> None: ...


class _Shelf:
    """One instrument: its last tick and the narrowest interval over all ladders on it."""

    __slots__ = ("count", "high", "low", "takers", "tick", "until")

    def __init__(self) -> None:
        self.takers: list[TickTaker] = []
        self.tick: Tick | None = None
        self.count = 0
        self.low, self.high, self.until = -NEVER, NEVER, NEVER

    def refresh(self) -> None:
        self.low, self.high, self.until = -NEVER, NEVER, NEVER
        for taker in self.takers:
            low, high = taker.bounds()
            self.low, self.high = max(self.low, low), min(self.high, high)
            self.until = min(self.until, taker.until())


class LadderBook:
    """Token to ladders. A tick that is older than the last one, or has no positive price, is left out."""

    def __init__(self, midnight: int) -> None:
        self._midnight = midnight
        self._shelves: dict[int, _Shelf] = {}
        self.rejected = 0

    def put(self, taker: TickTaker) -> None:
        """Add a ladder to the shelf of its instrument."""
        shelf = self._shelf(taker.token)
        shelf.takers.append(taker)
        shelf.refresh()

    def remove(self, taker: TickTaker) -> None:
        """Take a ladder away."""
        shelf = self._shelf(taker.token)
        shelf.takers.remove(taker)
        shelf.refresh()

    def watch(self, tokens: Iterable[int]) -> None:
        """Keep the last tick of these instruments too."""
        for token in tokens:
            self._shelf(token)

    def refresh(self, token: int) -> None:
        """Look at the bounds again: a ladder changed without a tick."""
        self._shelf(token).refresh()

    def last(self, token: int) -> Tick | None:
        """Give today's newest tick of an instrument."""
        shelf = self._shelves.get(token)
        return shelf.tick if shelf else None

    def count(self, token: int) -> int:
        """Give how many ticks an instrument had, to tell a new tick from one seen before."""
        return self._shelf(token).count

    def take(self, tick: Tick) -> None:
        """Show one tick to the ladders that may care."""
        shelf = self._shelves.get(tick.token)
        if shelf is None:
            return
        last = shelf.tick
        if tick.ltp <= 0 or tick.exchange_ts < (last.exchange_ts if last else self._midnight):
            self.rejected += 1
            return
        shelf.tick = tick
        shelf.count += 1
        if shelf.low < tick.ltp < shelf.high and tick.exchange_ts < shelf.until:
            return
        for taker in shelf.takers:
            taker.on_tick(tick)
        shelf.refresh()

    def _shelf(self, token: int) -> _Shelf:
        return self._shelves.setdefault(token, _Shelf())
