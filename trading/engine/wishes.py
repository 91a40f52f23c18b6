"""What is wanted of a line, and who decides about it.

A wish says what is to stay and not what to sell: a partly filled, refused or cancelled exit is simply wanted again
for what is left.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from trading.domain.orders import Purpose, Side
from trading.engine.orders import Working

RANK = {
    Purpose.DISASTER_STOP: -1,
    Purpose.TARGET: 0,
    Purpose.STOP: 1,
    Purpose.MANUAL_EXIT: 2,
    Purpose.SQUARE_OFF: 3,
    Purpose.LIMIT_REACHED: 4,
    Purpose.KILL: 5,
}


@dataclass(frozen=True, slots=True)
class ExitWish:
    """Leave only `keep` units. `is_whole` counts what the client holds there by hand too; `round` is a target's k."""

    purpose: Purpose
    keep: int
    reason: Mapping[str, Any]
    is_whole: bool = False
    round: int = 0


@dataclass(frozen=True, slots=True)
class EntryWish:
    """Open `quantity` units on `side`."""

    side: Side
    quantity: int
    reason: Mapping[str, Any]


class LineOwner(Protocol):
    """Who decides about the line: the ladder, or nobody."""

    def expected_open(self) -> int | None:
        """Signed units that should be open now; None leaves what is there."""

    def ladder_stop(self) -> Decimal | None:
        """The stop in force, rupees; None where nothing is open or nobody knows one."""

    def stop_percent(self) -> Decimal | None:
        """How far beyond it the client wants a stop to rest at the exchange; None: not at all."""

    def stopped_out(self, working: Working) -> None:
        """The stop at the exchange closed the position."""

    def entry_finished(self, filled: int) -> None: ...
    def shrunk(self, units: int) -> None:
        """Somebody else closed a part: only `units` are left."""

    def line_changed(self) -> None: ...


class NobodysLine:
    """A line without a ladder: what is there stays until somebody wants it closed."""

    def expected_open(self) -> int | None:
        """Leave what is there."""
        return None

    def ladder_stop(self) -> Decimal | None:
        """Nobody watches it."""
        return None

    def stop_percent(self) -> Decimal | None:
        """Nobody asked for one."""
        return None

    def stopped_out(self, working: Working) -> None:
        """Nobody counts it."""

    def entry_finished(self, filled: int) -> None:
        """Nobody waits for it."""

    def shrunk(self, units: int) -> None:
        """Nobody counts it."""

    def line_changed(self) -> None:
        """Nobody looks."""
