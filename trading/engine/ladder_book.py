"""Every tick passes here: two integer comparisons when nothing triggers, however many positions there are."""

from collections import Counter
from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

from trading.domain.ladder_state import NEVER
from trading.domain.ticks import Tick

JUMP_PARTS, FIRST_JUMP_PARTS = 10, 5
"""A price further than a tenth from the last one, or than a fifth from yesterday's close, needs a second word: another
packet near it, or the broker's quote."""
WEIGHTY_JUMP_PARTS = 21
"""So does one that would decide something, or where something is open; not an option's, where it is usual. 4.8 %, since
a spike of 5 % is one of a price that moved itself since the last tick."""
NEAR_PARTS = 100
"""A quote within 1 % says the same as a packet."""
CACHED_AFTER_S = 120
"""A first packet older than this is what the broker kept from before; it is a price, and decides nothing."""


class TickTaker(Protocol):
    """One ladder in the book. `bounds` and `until` say which ticks it need not see."""

    @property
    def token(self) -> int: ...
    def bounds(self) -> tuple[int, int]:
        """Open price interval in which nothing happens."""

    def until(self) -> int:
        """Epoch second from which on every tick has to be shown."""

    def on_tick(self, tick: Tick) -> None: ...


class BadTick(StrEnum):
    """Why a tick was left out."""

    NO_PRICE = "no positive price"
    OLD = "older than the last one"
    FUTURE = "from the future"
    DUPLICATE = "the same packet again"
    JUMP = "a jump that nothing confirmed"


class _Shelf:
    """One instrument: its last tick and the narrowest interval over all ladders on it."""

    __slots__ = ("count", "doubted", "high", "listeners", "low", "rejected", "takers", "tick", "until", "weighty_parts")

    def __init__(self) -> None:
        self.takers: list[TickTaker] = []
        self.listeners: list[Callable[[Tick], bool]] = []
        self.tick: Tick | None = None
        self.doubted: Tick | None = None
        self.count = 0
        self.rejected: Counter[BadTick] = Counter()
        self.weighty_parts = WEIGHTY_JUMP_PARTS
        self.low, self.high, self.until = -NEVER, NEVER, NEVER

    def refresh(self) -> None:
        self.low, self.high, self.until = -NEVER, NEVER, NEVER
        for taker in self.takers:
            low, high = taker.bounds()
            self.low, self.high = max(self.low, low), min(self.high, high)
            self.until = min(self.until, taker.until())


class LadderBook:
    """Token to ladders. A tick that is older than the last one, the same again, or has no positive price is left out;
    one that jumps decides nothing until another packet, or `confirm`, says the same. `on_doubt` is told of it, with the
    price it jumped from. `rejected` counts by reason."""

    def __init__(self, midnight: int, on_doubt: Callable[[Tick, int], None] = lambda tick, known: None) -> None:
        self._midnight = midnight
        self._on_doubt = on_doubt
        self._shelves: dict[int, _Shelf] = {}
        self.is_held: Callable[[int], bool] = lambda token: False
        """Says whether anybody holds an instrument."""
        self.rejected: Counter[BadTick] = Counter()

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

    def watch(self, token: int, *, is_wild: bool = False) -> None:
        """Keep the last tick of an instrument too. `is_wild`: an option's price, of which larger steps are usual."""
        self._shelf(token).weighty_parts = JUMP_PARTS if is_wild else WEIGHTY_JUMP_PARTS

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

    def rejected_of(self, token: int) -> Counter[BadTick]:
        """Give what was left out of one instrument, by reason."""
        return self._shelf(token).rejected

    def waits(self, token: int) -> bool:
        """Say whether a jump of an instrument waits for a second word now."""
        return self._shelf(token).doubted is not None

    def take(self, tick: Tick, *, not_after: int = NEVER, decides: bool = True) -> None:
        """Show one tick to the ladders that may care, unless its time stamp (epoch seconds) is after `not_after`.

        One of a backlog, behind which newer ones wait, is seen but not decided on: it `decides` nothing.
        """
        shelf = self._shelves.get(tick.token)
        if shelf is None:
            return
        why = self._why_bad(tick, shelf.tick, not_after)
        if why is None and not self._is_plausible(tick, shelf):
            why = BadTick.JUMP
        if why is not None:
            self.rejected[why] += 1
            shelf.rejected[why] += 1
        elif shelf.tick is None and not_after != NEVER and tick.exchange_ts < not_after - CACHED_AFTER_S:
            shelf.tick = tick  # a price, but what the broker kept from before: uncounted, so nobody decides on it
        elif not decides:
            self._see(tick, shelf)
        else:
            self._accept(tick, shelf)

    def confirm(self, tick: Tick) -> bool:
        """Another source says the same as a doubted tick: take it, unless something came meanwhile."""
        shelf = self._shelves.get(tick.token)
        if shelf is None or shelf.doubted is not tick:
            return False
        shelf.doubted = None
        self._accept(tick, shelf)
        return True

    def refuse(self, tick: Tick) -> None:
        """Another source says otherwise: what comes next is no second word for it."""
        shelf = self._shelves.get(tick.token)
        if shelf is not None and shelf.doubted is tick:
            shelf.doubted = None

    def is_doubted(self, tick: Tick) -> bool:
        """Say whether a tick still waits for a second word."""
        shelf = self._shelves.get(tick.token)
        return shelf is not None and shelf.doubted is tick

    def _see(self, tick: Tick, shelf: _Shelf) -> None:
        """Keep a price; uncounted, so that nobody looks at it later either."""
        shelf.tick = tick
        if shelf.listeners:
            shelf.listeners = [listener for listener in shelf.listeners if not listener(tick)]

    def _accept(self, tick: Tick, shelf: _Shelf) -> None:
        self._see(tick, shelf)
        shelf.count += 1
        if shelf.low < tick.ltp < shelf.high and tick.exchange_ts < shelf.until:
            return
        for taker in shelf.takers:
            taker.on_tick(tick)
        shelf.refresh()

    def _why_bad(self, tick: Tick, last: Tick | None, not_after: int) -> BadTick | None:
        if tick.ltp <= 0:
            return BadTick.NO_PRICE
        if tick.exchange_ts > not_after:
            return BadTick.FUTURE
        if last is None:
            return BadTick.OLD if tick.exchange_ts < self._midnight else None
        if tick == last:
            return BadTick.DUPLICATE
        # Within a second the day's volume is the sequence; an index has none.
        is_old = (tick.exchange_ts, tick.volume) < (last.exchange_ts, last.volume)
        return BadTick.OLD if is_old else None

    def _is_plausible(self, tick: Tick, shelf: _Shelf) -> bool:
        known = shelf.tick.ltp if shelf.tick else tick.close
        doubted, shelf.doubted = shelf.doubted, None
        if known <= 0 or abs(tick.ltp - known) * self._jump_parts(tick, shelf) <= known:
            return True
        if doubted is not None and tick != doubted and abs(tick.ltp - doubted.ltp) * WEIGHTY_JUMP_PARTS <= doubted.ltp:
            return True
        shelf.doubted = tick
        if tick != doubted:
            self._on_doubt(tick, known)
        return False

    def _jump_parts(self, tick: Tick, shelf: _Shelf) -> int:
        """Give which part of the known price a step may be: the less it may, the more hangs on it."""
        if shelf.tick is None:
            return FIRST_JUMP_PARTS
        if abs(tick.ltp - shelf.tick.ltp) * shelf.weighty_parts <= shelf.tick.ltp:
            return shelf.weighty_parts
        is_weighty = not shelf.low < tick.ltp < shelf.high or self.is_held(tick.token)
        return shelf.weighty_parts if is_weighty else JUMP_PARTS

    def _shelf(self, token: int) -> _Shelf:
        return self._shelves.setdefault(token, _Shelf())
