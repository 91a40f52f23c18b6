"""A square-off that stands still before its deadline is handed to the standby: the engine lets its counter stand.

*When* is market time, as the deadline is. *Standing still* is wire time: at sixty times the speed ninety market
seconds are gone before a broker could answer, and nothing would be wrong.
"""

import logging
from collections.abc import Hashable
from datetime import datetime, timedelta

from trading.domain.errors import StoreUnavailable
from trading.domain.timezone import to_ist
from trading.engine.flatten import FlattenOrder
from trading.engine.line import PositionLine
from trading.engine.square_off import SquareOffPlanner
from trading.engine.tools import Tools

logger = logging.getLogger(__name__)

LOOKS_EVERY_S = 1.0
BEFORE_DEADLINE = timedelta(seconds=90)
NO_PROGRESS_S = 10.0
"""Wire seconds: longer than an answer, a look-up and a rate budget's wait take, short enough to take over in time."""
ALARM_TAKES_S = 2.0


class ProgressWatch:
    """Looks at the square-offs of one session. A standby has nobody to hand over to, and never does."""

    def __init__(self, tools: Tools, planner: SquareOffPlanner) -> None:
        self._tools = tools
        self._planner = planner
        self._seen: dict[tuple[int, datetime], tuple[Hashable, float]] = {}

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await self._tools.clock.sleep(LOOKS_EVERY_S)
            if self._tools.right.may_enter and self._tools.right.may_send() and (stuck := self._stuck()):
                await self._stand_down(*stuck)
                return

    def _stuck(self) -> tuple[FlattenOrder, datetime] | None:
        """Give a square-off that has not moved for some seconds within its last ninety."""
        for order, deadline in self._planner.unfinished():
            key = (order.client.client_id, deadline)
            if self._tools.now() < deadline - BEFORE_DEADLINE or not _needs_help(order):
                self._seen.pop(key, None)
                continue
            now, state = self._tools.clock.monotonic(), _state_of(order)
            known, since = self._seen.get(key, (None, now))
            self._seen[key] = (state, since if state == known else now)
            if now - self._seen[key][1] >= NO_PROGRESS_S:
                return order, deadline
        return None

    async def _stand_down(self, order: FlattenOrder, deadline: datetime) -> None:
        what = self._planner.open_words(order) or "what the broker has open is not known"
        text = f"the square-off due at {to_ist(deadline):%H:%M:%S} stands still ({what}): the standby is to take over"
        try:
            told = self._tools.journal.alarm(order.client.client_id, "SQUARE_OFF_STUCK", text)
            await self._tools.within(ALARM_TAKES_S, told)
        except StoreUnavailable as error:
            logger.warning("the alarm was not stored in time: %s", error)
        self._tools.right.stand_down(text)


def _needs_help(order: FlattenOrder) -> bool:
    """Say whether others might fare better: something is open that no exit rests for, or an account is not known."""
    is_known = all(desk.is_restored for desk in order.desks())
    return not is_known or any(line.net and not _is_resting(line) for line in order.lines())


def _is_resting(line: PositionLine) -> bool:
    return any(working.is_resting for working in line.live_exits)


def _state_of(order: FlattenOrder) -> Hashable:
    """Give all that changes when a square-off gets on."""
    return tuple(
        (
            line.instrument,
            line.net,
            tuple((w.tag, w.state, w.filled, w.changes, w.cancels_asked, w.order_id) for w in line.live_exits),
        )
        for line in order.lines()
    )
