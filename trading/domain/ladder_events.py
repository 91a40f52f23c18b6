"""What the ladder decided on a tick. Prices are integers of 1/10,000 rupee, `second` is the IST second of the day."""

from dataclasses import dataclass
from typing import Any, ClassVar

from trading.domain.ladder_levels import LadderSide
from trading.domain.money import format_scaled
from trading.domain.timezone import format_second


@dataclass(frozen=True, slots=True)
class NotTraded:
    """The instrument is left alone today; `reason` is range_too_small, step_too_small or too_few_lots."""

    word: ClassVar[str] = "NOT_TRADED"
    reason: str

    def as_dict(self) -> dict[str, Any]:
        """Give the JSON form of the strategy paper."""
        return {"event": self.word, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class _OnTick:
    word: ClassVar[str]
    second: int
    side: LadderSide
    ltp: int

    def _head(self) -> dict[str, Any]:
        return {"event": self.word, "time": format_second(self.second), "side": self.side.value}


@dataclass(frozen=True, slots=True)
class Skipped(_OnTick):
    """A side fired but nothing is ordered: `beyond_T1`, or `too_few_lots` where capital decides the quantity."""

    word: ClassVar[str] = "SKIPPED"
    reason: str

    def as_dict(self) -> dict[str, Any]:
        """Give the JSON form of the strategy paper."""
        return {**self._head(), "ltp": format_scaled(self.ltp), "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Entry(_OnTick):
    """Open `quantity` units; `stop` is Y1, `level` the entry level that was crossed."""

    word: ClassVar[str] = "ENTRY"
    level: int
    quantity: int
    stop: int

    def as_dict(self) -> dict[str, Any]:
        """Give the JSON form of the strategy paper."""
        return {
            **self._head(),
            "ltp": format_scaled(self.ltp),
            "level": format_scaled(self.level),
            "quantity": self.quantity,
            "stop": format_scaled(self.stop),
        }


@dataclass(frozen=True, slots=True)
class TargetReached(_OnTick):
    """T`k` was reached: book `quantity` units, which may be 0 (then no order is sent)."""

    word: ClassVar[str] = "TARGET"
    k: int
    level: int
    quantity: int

    def as_dict(self) -> dict[str, Any]:
        """Give the JSON form of the strategy paper."""
        return {
            **self._head(),
            "k": self.k,
            "level": format_scaled(self.level),
            "ltp": format_scaled(self.ltp),
            "quantity": self.quantity,
        }


@dataclass(frozen=True, slots=True)
class Trail(_OnTick):
    """The stop in force moved to Y`y`; `open_quantity` units stay."""

    word: ClassVar[str] = "TRAIL"
    from_stop: int
    to_stop: int
    y: int
    open_quantity: int

    def as_dict(self) -> dict[str, Any]:
        """Give the JSON form of the strategy paper."""
        return {
            **self._head(),
            "from": format_scaled(self.from_stop),
            "to": format_scaled(self.to_stop),
            "y": self.y,
            "open": self.open_quantity,
        }


@dataclass(frozen=True, slots=True)
class Stop(_OnTick):
    """The stop in force (Y`y` at `level`) was hit: exit all `quantity` units."""

    word: ClassVar[str] = "STOP"
    quantity: int
    level: int
    y: int

    def as_dict(self) -> dict[str, Any]:
        """Give the JSON form of the strategy paper."""
        return {
            **self._head(),
            "ltp": format_scaled(self.ltp),
            "quantity": self.quantity,
            "level": format_scaled(self.level),
            "y": self.y,
        }


@dataclass(frozen=True, slots=True)
class SquareOff(_OnTick):
    """The day's end came on a tick: exit all `quantity` units."""

    word: ClassVar[str] = "SQUARE_OFF"
    quantity: int

    def as_dict(self) -> dict[str, Any]:
        """Give the JSON form of the strategy paper."""
        return {**self._head(), "ltp": format_scaled(self.ltp), "quantity": self.quantity}


TickEvent = Skipped | Entry | TargetReached | Trail | Stop | SquareOff
LadderEvent = NotTraded | TickEvent
