"""Every tick passes here: two integer comparisons when nothing triggers, however many positions there are."""

from collections.abc import Callable, Iterable
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

    __slots__ = ("count", "doubted", "high", "listeners", "low", "takers", "tick", "until")

    def __init__(self) -> None:
        self.takers: list[TickTaker] = []
        self.listeners: list[Callable[[Tick], bool]] = []
        self.tick: Tick | None = None
        self.doubted: Tick | None = None
        self.count = 0
        self.low, self.high, self.until = -NEVER, NEVER, NEVER

    def refresh(self) -> None:
        self.low, self.high, self.until = -NEVER, NEVER, NEVER
        for taker in self.takers:
            low, high = taker.bounds()
            self.low, self.high = max(self.low, low), min(self.high, high)
            self.until = min(self.until, taker.until())


JUMP_PARTS, FIRST_JUMP_PARTS = 10, 5
"""A price further than a tenth from the last one (or than a fifth from yesterday's close) needs a second packet."""


class LadderBook:
    """Token to ladders. A tick that is older than the last one, or has no positive price, is left out; one that jumps
    decides nothing until another packet confirms it. `on_doubt` is told of it, with the price it jumped from."""

    def __init__(self, midnight: int, on_doubt: Callable[[Tick, int], None] = lambda tick, known: None) -> None:
        self._midnight = midnight
        self._on_doubt = on_doubt
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

    def tell_packets(self, token: int, listener: Callable[[Tick], bool]) -> None:
        """Show every packet of an instrument, before its ladders see it, until `listener` gives True."""
        self._shelf(token).listeners.append(listener)

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

    def take(self, tick: Tick, *, not_after: int = NEVER) -> None:
        """Show one tick to the ladders that may care, unless its time stamp (epoch seconds) is after `not_after`."""
        shelf = self._shelves.get(tick.token)
        if shelf is None:
            return
        last = shelf.tick
        oldest = last.exchange_ts if last else self._midnight
        if tick.ltp <= 0 or not oldest <= tick.exchange_ts <= not_after or not self._is_plausible(tick, shelf):
            self.rejected += 1
            return
        shelf.tick = tick
        shelf.count += 1
        if shelf.listeners:
            shelf.listeners = [listener for listener in shelf.listeners if not listener(tick)]
        if shelf.low < tick.ltp < shelf.high and tick.exchange_ts < shelf.until:
            return
        for taker in shelf.takers:
            taker.on_tick(tick)
        shelf.refresh()

    def _is_plausible(self, tick: Tick, shelf: _Shelf) -> bool:
        known, parts = (shelf.tick.ltp, JUMP_PARTS) if shelf.tick else (tick.close, FIRST_JUMP_PARTS)
        doubted, shelf.doubted = shelf.doubted, None
        if known <= 0 or abs(tick.ltp - known) * parts <= known:
            return True
        if doubted is not None and tick != doubted and abs(tick.ltp - doubted.ltp) * JUMP_PARTS <= doubted.ltp:
            return True
        shelf.doubted = tick
        if tick != doubted:
            self._on_doubt(tick, known)
        return False

    def _shelf(self, token: int) -> _Shelf:
        return self._shelves.setdefault(token, _Shelf())
