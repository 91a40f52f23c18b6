"""Replays the event log: does each decision follow from what it says it was decided by?

A ladder is made again from its LADDER_PLANNED line and moved by the lines of what became of its orders; each tick
that decided is shown to it, and it must decide the same. What the log does not have is every tick that decided
nothing: that a side was armed by an earlier tick is taken from the entry itself. Verdicts of the gate are judged
again from their facts. Pure: lines in, sentences out; one chain at a time, in order.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from trading.domain.calendar import MarketCalendar
from trading.domain.chains import LogLine
from trading.domain.ladder import Ladder
from trading.domain.ladder_config import LadderConfig
from trading.domain.ladder_events import Entry, Skipped, SquareOff, Stop, TargetReached, Trail
from trading.domain.money import to_scaled
from trading.domain.sizing import quantity_for
from trading.domain.timezone import ist_day, midnight_epoch
from trading.domain.verdicts import wrong_verdicts

DECISIONS = frozenset(event.word for event in (Entry, Skipped, SquareOff, Stop, TargetReached, Trail))
OF_THE_TICK = ("tick", "levels", "range")


class DecisionReplay:
    """One chain. `take` gives what is wrong at a line, empty when nothing is; `end` what is missing at the end."""

    def __init__(self, calendar: MarketCalendar) -> None:
        self._calendar = calendar
        self._ladders: dict[tuple[date, str, str], _LadderReplay] = {}
        self.decisions = 0
        self.verdicts = 0

    def take(self, line: LogLine) -> list[str]:
        """Look at the next line of the chain."""
        if line.kind == "GATE":
            data = json.loads(line.body)
            self.verdicts += len(data["verdicts"])
            return [f"line {line.seq}: {wrong}" for wrong in wrong_verdicts(data, self._calendar)]
        handle = _HANDLERS.get(line.kind)
        data = json.loads(line.body) if handle or line.kind in DECISIONS else {}
        is_decision = line.kind in DECISIONS and "tick" in data
        if handle is None and not is_decision:
            return []
        key = (ist_day(line.at), line.account_key, line.instrument)
        ladder = self._ladders.setdefault(key, _LadderReplay())
        try:
            if is_decision:
                self.decisions += 1
                wrong = ladder.decided(data, midnight_epoch(key[0]))
            else:
                assert handle is not None  # noqa: S101 (looked at above)
                wrong = [*ladder.left_out(), *handle(ladder, data)]
        except (KeyError, ValueError, ArithmeticError, TypeError) as error:
            wrong = [f"it cannot be read: {error!r}"]
        return [f"line {line.seq} ({line.kind} of {line.instrument}): {text}" for text in wrong]

    def end(self) -> Iterator[str]:
        """Give the decisions that the log lacks, once every line was taken."""
        for (day, account, instrument), ladder in self._ladders.items():
            yield from (f"{account} {instrument} on {day}: {text}" for text in ladder.left_out())


class _LadderReplay:
    """The ladder of one account, instrument and day. `_expected` is what its last tick must still say."""

    def __init__(self) -> None:
        self._ladder: Ladder | None = None
        self._expected: list[dict[str, Any]] = []
        self._tick: Mapping[str, Any] = {}

    def left_out(self) -> list[str]:
        """Give what the last tick decided and the log does not say."""
        missing, self._expected = self._expected, []
        return [f"the log lacks the decision {event['event']} of the tick {self._tick}" for event in missing]

    def plan(self, data: Mapping[str, Any]) -> list[str]:
        """Make the ladder anew; what is open goes on by LADDER_RESTORED, which follows."""
        capital = Decimal(data["capital"] or 0)
        lot_size = int(data["lot_size"])
        self._ladder = Ladder(
            LadderConfig.from_mapping(data["config"]),
            high=Decimal(data["high"]),
            low=Decimal(data["low"]),
            tick_size=Decimal(data["tick_size"]),
            lot_size=lot_size,
            quantity=data["quantity"]
            if data["quantity"] is not None
            else lambda price: quantity_for(capital, price, lot_size),
        )
        return []

    def restored(self, data: Mapping[str, Any]) -> list[str]:
        """Go on where another process stopped."""
        if self._ladder is not None:
            self._ladder.restore(data["ladder"])
        return []

    def settled(self, data: Mapping[str, Any]) -> list[str]:
        """Follow what the entry came to."""
        if self._ladder is not None:
            self._ladder.entry_filled(int(data["filled"]))
        return []

    def shrunk(self, data: Mapping[str, Any]) -> list[str]:
        """Follow what was closed outside."""
        if self._ladder is not None:
            self._ladder.open_corrected(int(data["open"]))
        return []

    def reset(self, data: Mapping[str, Any]) -> list[str]:
        """Something that outranks the ladder closed it."""
        if self._ladder is not None:
            self._ladder.end_day() if data["ends_day"] else self._ladder.closed()
        return []

    def decided(self, data: Mapping[str, Any], midnight: int) -> list[str]:
        """Compare one decision with what the ladder made again decides on its tick."""
        if self._ladder is None:
            return ["no plan of this ladder was logged before it"]
        wrong: list[str] = []
        told = {name: value for name, value in data.items() if name not in OF_THE_TICK}
        if not self._expected or data["tick"] != self._tick:
            wrong, self._tick = self.left_out(), data["tick"]
            if told["event"] in (Entry.word, Skipped.word):
                _arm(self._ladder, told["side"])
            events = self._ladder.on_tick(
                data["tick"]["exchange_ts"] - midnight, to_scaled(Decimal(data["tick"]["ltp"]))
            )
            self._expected = [event.as_dict() for event in events]
        levels = self._ladder.levels.as_dict() if self._ladder.levels else {}
        if data["levels"] != levels.get(told["side"], {}):
            wrong.append(
                f"its levels are {data['levels']}, its range and configuration give {levels.get(told['side'])}"
            )
        due = self._expected.pop(0) if self._expected else None
        if due != told:
            wrong.append(f"it says {told}, its tick and levels give {due or 'nothing'}")
        return wrong


def _arm(ladder: Ladder, side: str) -> None:
    """Let this side fire and the other not: which ticks armed them is not in the log."""
    kept = ladder.snapshot()
    for name, state in kept["sides"].items():
        state.update(armed=name == side, quiet=name != side)
    ladder.restore(kept)


_HANDLERS: dict[str, Callable[[_LadderReplay, Mapping[str, Any]], list[str]]] = {
    "LADDER_PLANNED": _LadderReplay.plan,
    "LADDER_RESTORED": _LadderReplay.restored,
    "ENTRY_SETTLED": _LadderReplay.settled,
    "POSITION_SHRUNK": _LadderReplay.shrunk,
    "LADDER_RESET": _LadderReplay.reset,
}
