"""What the ladder remembers between ticks: each side's flags, and the open position."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from trading.domain.ladder_config import STEPS
from trading.domain.ladder_levels import SideLevels

NEVER = 1 << 60
"""A price that no tick reaches: the open end of `Ladder.bounds`."""


class SideState:
    """One side: `armed` may fire on a cross, `quiet` may not fire again until armed, `entries` counts today's."""

    __slots__ = ("armed", "entries", "levels", "may_trade", "quiet", "side", "sign")

    def __init__(self, levels: SideLevels, *, may_trade: bool) -> None:
        self.levels = levels
        self.side = levels.side
        self.sign = levels.side.sign
        self.may_trade = may_trade
        self.armed = False
        self.quiet = False
        self.entries = 0

    def snapshot(self) -> dict[str, Any]:
        """Give the flags and the entry level that they belong to, JSON-able."""
        return {"armed": self.armed, "quiet": self.quiet, "entries": self.entries, "level": self.levels.entry}

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Take the flags back. Raises KeyError or TypeError when `kept` is no snapshot.

        A price that armed another entry level (the day's range was changed) has not armed this one.
        """
        is_same_level = kept.get("level", self.levels.entry) == self.levels.entry
        self.armed, self.quiet = bool(kept["armed"]) and is_same_level, bool(kept["quiet"])
        self.entries = int(kept["entries"])


class OpenPosition:
    """The open position: bookings follow the units `entered`, `open` counts the units left.

    `k` is the number of targets reached, `stop` the stop in force in 1/10,000 rupee.
    """

    __slots__ = ("entered", "k", "lot_size", "open", "state", "stop")

    def __init__(self, state: SideState, *, quantity: int, lot_size: int) -> None:
        self.state = state
        self.lot_size = lot_size
        self.k = 0
        self.entered = quantity
        self.open = quantity
        self.stop = state.levels.stops[0]

    @property
    def initial_lots(self) -> int:
        """The whole lots that were entered."""
        return self.entered // self.lot_size

    def reach_target(self, booked_fractions: Sequence[Fraction]) -> int:
        """Count one more target and give the units to book there, taken off `open` at once.

        `booked_fractions` are cumulative. Cumulative lots are floored, so a booking may be 0; the target at
        which all lots are booked closes everything that is open.
        """
        before = int(self.initial_lots * booked_fractions[self.k - 1]) if self.k else 0
        now = int(self.initial_lots * booked_fractions[self.k])
        self.k += 1
        quantity = min((now - before) * self.lot_size, self.open)
        if self.k == STEPS or 0 < self.initial_lots == now:
            quantity = self.open
        self.open -= quantity
        return quantity

    def trail(self) -> tuple[int, int]:
        """Move the stop to Y(k+1) and give (old, new). It never loosens, even where a restored stop is ahead."""
        old, sign = self.stop, self.state.sign
        self.stop = max(old * sign, self.state.levels.stops[self.k] * sign) * sign
        return old, self.stop

    def bounds(self) -> tuple[int, int]:
        """Give the open price interval in which neither stop nor next target is reached."""
        sign = self.state.sign
        target = self.state.levels.targets[self.k] if self.k < STEPS else NEVER * sign
        return (self.stop, target) if sign > 0 else (target, self.stop)

    def snapshot(self) -> dict[str, Any]:
        """Give the position, JSON-able."""
        return {
            "side": self.state.side.value,
            "k": self.k,
            "stop": self.stop,
            "entered": self.entered,
            "open": self.open,
        }

    @classmethod
    def restored(cls, state: SideState, kept: Mapping[str, Any], *, lot_size: int) -> "OpenPosition":
        """Rebuild a position from `snapshot`. Raises KeyError or TypeError when `kept` is no snapshot."""
        position = cls(state, quantity=int(kept["entered"]), lot_size=lot_size)
        position.k, position.stop, position.open = int(kept["k"]), int(kept["stop"]), int(kept["open"])
        return position
