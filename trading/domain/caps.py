"""Hard caps outside every strategy: the house's, which always hold, and a client's own, which may only be tighter.

Money is rupees, quantities units, percent as 20 for 20 %. They bound an entry; an exit is never held by one.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Generic, TypeVar

Amount = TypeVar("Amount", int, Decimal)

HOUSE, OWN = "the house's", "the client's"


@dataclass(frozen=True, slots=True)
class HouseCaps:
    """What no client's entry may exceed. The throttle is the one that RTS 6, Art. 15(1) asks for (commission
    delegated regulation (EU) 2017/589): a strategy that repeats itself is stopped until a person lets it go on.

    `entries_a_ladder` counts one ladder (account and instrument) a day; `same_side_entries` those of one side
    within `same_side_seconds` of market time. Reaching either stops that ladder.
    """

    order_value: Decimal = Decimal(5_000_000)
    order_quantity: int = 100_000
    collar_percent: Decimal = Decimal(20)
    trades_a_day: int = 500
    open_positions: int = 100
    entries_a_ladder: int = 20
    same_side_entries: int = 5
    same_side_seconds: int = 60
    needs_algo_id: bool = False

    def problems(self) -> dict[str, str]:
        """Name each cap that bounds nothing; empty when all may be used."""
        found = {
            name: f"must be above zero, was {getattr(self, name)}"
            for name in self.__slots__
            if name != "needs_algo_id" and not getattr(self, name) > 0
        }
        if self.collar_percent >= 100:
            found["collar_percent"] = f"must be below 100, was {self.collar_percent}"
        return found


@dataclass(frozen=True, slots=True)
class Cap(Generic[Amount]):
    """The bound that counts, and whose it is."""

    value: Amount
    whose: str

    def words(self) -> str:
        """Say it inside a sentence: `the limit is 500 (the house's)`."""
        return f"the limit is {self.value} ({self.whose})"


def tighter(own: Amount | None, house: Amount) -> Cap[Amount]:
    """Give the tighter of a client's own cap (None is none) and the house's."""
    return Cap(house, HOUSE) if own is None or own >= house else Cap(own, OWN)


def is_raise(old: Decimal | int | None, new: Decimal | int | None) -> bool:
    """Say whether a changed limit lets more pass than before; None is no limit."""
    return old is not None and (new is None or new > old)


@dataclass(frozen=True, slots=True)
class Entered:
    """One entry of a ladder that the gate let pass: its place in the day's count, side (+1, -1) and market time."""

    position: int
    sign: int
    at: datetime


def repeats(entries: list[Entered], *, sign: int, now: datetime, caps: HouseCaps, own: int | None) -> str | None:
    """Say why one more entry on side `sign` would be a repetition too many; None when it is not.

    Slices of one entry share their position and count once. `own` is the client's own number a day.
    """
    of_position = {entry.position: entry for entry in entries}
    cap = tighter(own, caps.entries_a_ladder)
    if len(of_position) >= cap.value:
        return f"{len(of_position)} entries of this ladder today, {cap.words()}"
    since = now - timedelta(seconds=caps.same_side_seconds)
    recent = [entry for entry in of_position.values() if entry.sign == sign and entry.at > since]
    if len(recent) >= caps.same_side_entries:
        most = Cap(caps.same_side_entries, HOUSE).words()
        return f"{len(recent)} entries on one side within {caps.same_side_seconds} s, {most}"
    return None
