"""The 810/910 ladder of one account, instrument and day. Pure: ticks in, decisions out.

The exact rules stand in docs/ladder.md. Prices are integers of 1/10,000 rupee, times are whole IST seconds of
the ladder's day (`exchange_ts - timezone.midnight_epoch(day)`), so that a tick of another day falls outside.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate
from typing import Any

from trading.domain.ladder_config import STEPS, LadderConfig, Rearm, Sides, Trigger
from trading.domain.ladder_events import Entry, NotTraded, Skipped, SquareOff, Stop, TargetReached, TickEvent, Trail
from trading.domain.ladder_levels import LadderSide, Levels, compute_levels, why_not_traded
from trading.domain.ladder_state import NEVER, OpenPosition, SideState
from trading.domain.money import from_scaled
from trading.domain.timezone import DAY_SECONDS, second_of_day

SNAPSHOT_VERSION = 1

Sizer = Callable[[Decimal], int]
"""Gives the units to buy or sell at an entry price in rupees (capital sizing)."""


class Ladder:
    """Decides entries, bookings, trailing and exits. Knows nothing of orders: the caller reports what came of them.

    `not_traded` is set when the day's range, step or quantity forbids trading; then no tick ever gives an event.
    """

    def __init__(
        self,
        config: LadderConfig,
        *,
        high: Decimal,
        low: Decimal,
        tick_size: Decimal,
        lot_size: int,
        quantity: int | Sizer,
    ) -> None:
        """Compute the day's levels. `quantity` is units, or a callable of the entry price in rupees.

        Raises ValueError for a lot size below 1 or a tick size that is no positive multiple of 0.0001.
        """
        if lot_size < 1:
            raise ValueError(f"lot_size must be at least 1, was {lot_size}")
        self.config = config
        self.lot_size = lot_size
        self._quantity = quantity
        self.computed_levels: Levels | None = None
        if high > low:
            self.computed_levels = compute_levels(config, high=high, low=low, tick_size=tick_size)
        reason = self._why_not_traded()
        self.not_traded = NotTraded(reason) if reason else None
        self.levels = None if reason else self.computed_levels
        self._sides: tuple[SideState, ...] = self._make_sides()
        self._position: OpenPosition | None = None
        self._ended = False
        self._last_second = -1
        self._starts = second_of_day(config.session_start)
        self._entries_end = second_of_day(config.no_new_entry_after)
        self.square_off_second = second_of_day(config.square_off_at)
        self._booked_fractions = tuple(accumulate(Fraction(b) for b in config.booking_fractions))

    # -- what is open ------------------------------------------------------------------------------------------

    @property
    def position_side(self) -> LadderSide | None:
        """The side of the open position, None when flat."""
        return self._position.state.side if self._position else None

    @property
    def open_quantity(self) -> int:
        """Units open by the ladder's own count, unsigned."""
        return self._position.open if self._position else 0

    @property
    def targets_reached(self) -> int:
        """The number k of targets reached by the open position, 0 when flat."""
        return self._position.k if self._position else 0

    @property
    def stop(self) -> int | None:
        """The stop in force in 1/10,000 rupee, None when flat."""
        return self._position.stop if self._position else None

    def entries(self, side: LadderSide) -> int:
        """Give the entries made today on one side."""
        return sum(state.entries for state in self._sides if state.side is side)

    def bounds(self) -> tuple[int, int]:
        """Give (low, high): a tick strictly between them decides nothing and arms nothing.

        Holds for ticks before `square_off_second`, none older than the last one seen, and until any other
        method changes the ladder. A tick outside need not do anything either: it has to be shown to `on_tick`.
        """
        if self._ended or not self._sides:
            return -NEVER, NEVER
        low, high = -NEVER, NEVER
        if self._position:
            low, high = self._position.bounds()
        elif self._last_second >= self._entries_end:
            return low, high
        for state in self._sides:
            side_low, side_high = self._side_bounds(state)
            low, high = max(low, side_low), min(high, side_high)
        return low, high

    # -- one tick ----------------------------------------------------------------------------------------------

    def on_tick(self, second: int, price: int) -> tuple[TickEvent, ...]:
        """Decide on one tick, in the order of the strategy paper.

        Ticks of other days, before the session and after the square-off are ignored.
        """
        if self._ended or not self._starts <= second < DAY_SECONDS or not self._sides:
            return ()
        self._last_second = second
        position = self._position
        if second >= self.square_off_second:
            self._ended = True
            self._position = None
            return (SquareOff(second, position.state.side, price, position.open),) if position else ()
        events: tuple[TickEvent, ...] = (
            self._manage(position, second, price) if position else self._maybe_enter(second, price)
        )
        if self.config.rearm is Rearm.ANY or (position is None and self._position is None):
            self._arm(price)
        return events

    def _manage(self, position: OpenPosition, second: int, price: int) -> tuple[TickEvent, ...]:
        """Stop, targets, trail."""
        state, levels = position.state, position.state.levels
        if (position.stop - price) * state.sign >= 0:
            self._position = None
            return (Stop(second, state.side, price, position.open, position.stop, position.k + 1),)
        events: list[TickEvent] = []
        while position.k < STEPS and (price - levels.targets[position.k]) * state.sign >= 0:
            level = levels.targets[position.k]
            quantity = position.reach_target(self._booked_fractions)
            events.append(TargetReached(second, state.side, price, position.k, level, quantity))
            if position.open == 0:
                self._position = None
                return tuple(events)
        if events:
            old, new = position.trail()
            events.append(Trail(second, state.side, price, old, new, position.k + 1, position.open))
        return tuple(events)

    def _maybe_enter(self, second: int, price: int) -> tuple[TickEvent, ...]:
        if second >= self._entries_end:
            return ()
        for state in self._sides:
            if self._fires(state, price):
                return (self._fire(state, second, price),)
        return ()

    def _fires(self, state: SideState, price: int) -> bool:
        if not self._may_enter(state) or (price - state.levels.entry) * state.sign < 0:
            return False
        return state.armed if self.config.trigger is Trigger.CROSS else not state.quiet

    def _fire(self, state: SideState, second: int, price: int) -> TickEvent:
        state.armed = False
        if (price - state.levels.targets[0]) * state.sign >= 0:
            state.quiet = True
            return Skipped(second, state.side, price, "beyond_T1")
        quantity = self._units_at(from_scaled(price))
        if quantity < self.config.min_lots * self.lot_size:
            state.quiet = True
            return Skipped(second, state.side, price, "too_few_lots")
        state.entries += 1
        self._position = OpenPosition(state, quantity=quantity, lot_size=self.lot_size)
        return Entry(second, state.side, price, state.levels.entry, quantity, state.levels.stops[0])

    def _arm(self, price: int) -> None:
        for state in self._sides:
            if self._may_enter(state) and (price - state.levels.entry) * state.sign < 0:
                state.armed = True
                state.quiet = False

    def _may_enter(self, state: SideState) -> bool:
        return state.may_trade and state.entries < self.config.max_entries_per_side

    # -- what became of the orders -----------------------------------------------------------------------------

    def entry_filled(self, quantity: int) -> None:
        """Say how many units the entry order filled in all, once it is final.

        Bookings then follow that quantity, floored to lots; what targets booked meanwhile is taken off. 0 means
        that the entry came to nothing: it does not count as an entry, and its side stays disarmed (quiet with
        `trigger = level`) until the price arms it again. Does nothing when the position is already closed.
        """
        position = self._position
        if position is None:
            return
        if quantity <= 0:
            position.state.entries -= 1
            position.state.quiet = True
        gone = position.entered - position.open
        position.entered = quantity
        self.open_corrected(quantity - gone)

    def open_corrected(self, quantity: int) -> None:
        """Say how many units are really open, as when a booking filled in part; 0 or less means closed."""
        if self._position is None:
            return
        if quantity <= 0:
            self._position = None
        else:
            self._position.open = quantity

    def closed(self) -> None:
        """Say that the position ended outside the ladder: kill switch, limit, manual exit, scheduled square-off."""
        self._position = None

    def end_day(self) -> None:
        """Ignore every later tick, as after a scheduled square-off that no tick brought."""
        self._position = None
        self._ended = True

    # -- restart -----------------------------------------------------------------------------------------------

    def snapshot(self) -> dict[str, Any]:
        """Give all that a restart needs, JSON-able. Prices are integers of 1/10,000 rupee."""
        return {
            "version": SNAPSHOT_VERSION,
            "ended": self._ended,
            "sides": {state.side.value: state.snapshot() for state in self._sides},
            "position": self._position.snapshot() if self._position else None,
        }

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Go on where `snapshot` was taken. Raises ValueError when it is not one of this ladder."""
        if snapshot.get("version") != SNAPSHOT_VERSION:
            raise ValueError(f"ladder snapshot had version {snapshot.get('version')!r}")
        try:
            for state in self._sides:
                state.restore(snapshot["sides"][state.side.value])
            self._ended = bool(snapshot["ended"])
            self._position = self._restored_position(snapshot["position"])
        except (KeyError, TypeError) as error:
            raise ValueError(f"ladder snapshot lacks {error}") from error

    def _restored_position(self, kept: Mapping[str, Any] | None) -> OpenPosition | None:
        if kept is None:
            return None
        state = next((state for state in self._sides if state.side.value == kept["side"]), None)
        if state is None:
            raise ValueError(f"ladder snapshot has a {kept['side']} position where nothing is traded")
        return OpenPosition.restored(state, kept, lot_size=self.lot_size)

    # -- the pieces --------------------------------------------------------------------------------------------

    def _make_sides(self) -> tuple[SideState, ...]:
        if self.levels is None:
            return ()
        return (
            SideState(self.levels.long, may_trade=self.config.sides is not Sides.SHORT),
            SideState(self.levels.short, may_trade=self.config.sides is not Sides.LONG),
        )

    def _why_not_traded(self) -> str | None:
        if self.computed_levels is None:
            return "range_too_small"
        reason = why_not_traded(self.computed_levels, self.config)
        if reason:
            return reason
        # Capital buys most at the lowest entry level that may be traded; each entry looks again at its own price.
        entry = self.computed_levels.long if self.config.sides is Sides.LONG else self.computed_levels.short
        lots = self._units_at(from_scaled(entry.entry)) // self.lot_size
        return "too_few_lots" if lots < self.config.min_lots else None

    def _units_at(self, price: Decimal) -> int:
        """Give the quantity in units, floored to whole lots."""
        units = self._quantity if isinstance(self._quantity, int) else self._quantity(price)
        return units // self.lot_size * self.lot_size

    def _side_bounds(self, state: SideState) -> tuple[int, int]:
        """Prices at which this side would fire or arm, as an open interval in which it does neither."""
        if not self._may_enter(state):
            return -NEVER, NEVER
        entry, sign = state.levels.entry, state.sign
        waiting = state.armed if self.config.trigger is Trigger.CROSS else not state.quiet
        fires_from = entry if waiting and self._position is None else NEVER * sign
        may_arm = not state.armed and (self._position is None or self.config.rearm is Rearm.ANY)
        arms_from = entry - sign if may_arm else -NEVER * sign
        return (arms_from, fires_from) if sign > 0 else (fires_from, arms_from)
