"""What a ladder's runner writes to the event log: enough to make the ladder again and to judge each decision anew.

See domain/decision_replay.py, which reads it.
"""

from collections.abc import Mapping
from typing import Any

from trading.domain.ladder import Ladder
from trading.domain.ladder_config import RangeSource
from trading.domain.ladder_events import NotTraded, TickEvent
from trading.domain.money import format_scaled
from trading.domain.orders import Purpose
from trading.domain.ticks import Tick
from trading.engine.line import PositionLine
from trading.engine.tools import Tools
from trading.ports import Plan


class LadderPen:
    """Writes for one line."""

    def __init__(self, tools: Tools, line: PositionLine) -> None:
        self._tools = tools
        self._line = line

    def record(self, kind: str, data: Mapping[str, Any]) -> None:
        """Note an event of this account and instrument."""
        ref = self._line.ref
        self._tools.journal.record(kind, ref.client_id, data, account=ref.key, instrument=self._line.instrument)

    def announce(self, plan: Plan, ladder: Ladder | None) -> None:
        """Say what the ladder is made of, where an opening range came from, and why nothing is traded today."""
        self.planned(plan, ladder)
        known, refused = plan.day_range, NotTraded("range_unknown")
        if known is not None and known.source is RangeSource.OPENING_RANGE:
            self.record("OPENING_RANGE", known.as_dict())
        if ladder is not None and ladder.not_traded is not None:
            self.record(NotTraded.word, {**ladder.not_traded.as_dict(), **range_told(plan)})
        elif plan.why_no_range:
            self.record(NotTraded.word, {**refused.as_dict(), "text": plan.why_no_range})

    def planned(self, plan: Plan, ladder: Ladder | None) -> None:
        """Say all that the ladder was made of."""
        if ladder is None or plan.day_range is None:
            return
        made_of = {
            "config": ladder.config.to_mapping(),
            "high": str(plan.day_range.high),
            "low": str(plan.day_range.low),
            "tick_size": str(plan.instrument.tick_size),
            "lot_size": plan.instrument.lot_size,
            "quantity": plan.quantity,
            "capital": None if plan.capital is None else str(plan.capital),
        }
        self.record("LADDER_PLANNED", made_of)

    def restored(self, ladder: Ladder | None) -> None:
        """Say where the ladder goes on, after another process or another plan."""
        if ladder is not None:
            self.record("LADDER_RESTORED", {"ladder": ladder.snapshot()})

    def told(self, event: TickEvent, tick: Tick, plan: Plan, ladder: Ladder | None) -> dict[str, Any]:
        """Give an event in the paper's words, the tick that caused it, and the ladder's levels."""
        levels = ladder.levels.of(event.side).as_dict() if ladder and ladder.levels else {}
        seen = {"ltp": format_scaled(tick.ltp), "exchange_ts": tick.exchange_ts, "volume": tick.volume}
        return {**event.as_dict(), "tick": seen, "levels": levels, **range_told(plan)}

    def flattening(self, purpose: Purpose, reason: Mapping[str, Any], tick: Tick | None) -> None:
        """Say that what is open is closed for a reason that outranks the ladder; nothing when it leaves already."""
        lot, wished = self._line.lot, self._line.wish
        if lot == 0 or (wished is not None and wished.keep == 0):
            return
        told = {"event": purpose.value, "side": "long" if lot > 0 else "short", "quantity": abs(lot), **reason}
        self.record(purpose.value, {**told, "ltp": format_scaled(tick.ltp)} if tick else told)


def range_told(plan: Plan) -> dict[str, Any]:
    """Give the range that the levels follow from, in the form of the log."""
    return {"range": plan.day_range.as_dict()} if plan.day_range else {}
