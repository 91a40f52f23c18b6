"""The day's square-off of every client: armed timers, late passes, and whoever else asks for it.

Beat's command, the engine's timer and the standby's all end in the same idempotent square-off: whoever is second
finds it wanted or done.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from trading.domain.orders import Purpose
from trading.domain.square_off import SquareOffPlan
from trading.domain.timezone import to_ist
from trading.engine.client import ClientBook
from trading.engine.flatten import Flattener, FlattenOrder, everything, open_words
from trading.engine.tools import Tools

logger = logging.getLogger(__name__)

LATE_START_WAITS = timedelta(seconds=60)
"""Market time until the alarm where it started later than planned, because the engine came up late."""


@dataclass(frozen=True)
class PlannedSquareOff:
    """One square-off of a client: what it `covers` is closed by its plan. The last one of the day covers everything."""

    plan: SquareOffPlan
    covers: Callable[[str], bool] = everything

    @property
    def is_whole(self) -> bool:
        """True for the one that covers everything."""
        return self.covers is everything


class SquareOffPlanner:
    """Arms the day's square-off timers of every client, and runs `square_off(client)` for whoever asks."""

    def __init__(self, tools: Tools, flattener: Flattener) -> None:
        self._tools = tools
        self._flattener = flattener
        self._groups: dict[int, list[PlannedSquareOff]] = {}
        self._confirmed: set[tuple[int, SquareOffPlan | None]] = set()
        """(client, plan) seen flat at the broker; the plan None is everything."""

    def arm(self, client: ClientBook, groups: Iterable[PlannedSquareOff]) -> None:
        """Set the timers of one client in place of those set before. What is past is run at once."""
        for number in range(len(self._groups.pop(client.client_id, []))):
            for what in ("square off", "flat by"):
                self._tools.timers.cancel((what, client.client_id, number))
        if not client.desks:
            return
        planned = self._groups[client.client_id] = sorted(groups, key=lambda group: group.plan.start)
        for number, group in enumerate(planned):
            key = ("square off", client.client_id, number)
            self._tools.timers.set(key, group.plan.start, partial(self._start, client, number))

    async def square_off(self, client: ClientBook, reason: Mapping[str, Any]) -> None:
        """Square off everything of one client; returns once the broker shows it flat. Idempotent within a day."""
        client.is_squared_off = True
        await self._run(FlattenOrder(client, Purpose.SQUARE_OFF, reason), None)

    async def square_off_due(self, client: ClientBook) -> None:
        """Square off what of one client is due by now, as its timers do."""
        for group in self._groups.get(client.client_id, []):
            if group.plan.start <= self._tools.now():
                client.is_squared_off = client.is_squared_off or group.is_whole
                await self._run(self._order(client, group), None if group.is_whole else group.plan)

    def _order(self, client: ClientBook, group: PlannedSquareOff) -> FlattenOrder:
        return FlattenOrder(client, Purpose.SQUARE_OFF, {"rule": group.plan.reason}, group.covers)

    def _start(self, client: ClientBook, number: int) -> None:
        group = self._groups[client.client_id][number]
        deadline = max(group.plan.flat_by, self._tools.now() + LATE_START_WAITS)
        self._tools.timers.set(("flat by", client.client_id, number), deadline, partial(self._late, client, group))
        client.is_squared_off = client.is_squared_off or group.is_whole
        # What a person squared off earlier in the day says nothing about what is open now.
        key = None if group.is_whole else group.plan
        self._confirmed.discard((client.client_id, key))
        order = self._order(client, group)
        self._flattener.begin(order)
        self._tools.work.spawn(self._run(order, key), f"square off {client.client_id}", counts=False)

    async def _run(self, order: FlattenOrder, key: SquareOffPlan | None) -> None:
        begun = self._tools.clock.monotonic()
        await self._flattener.flatten(order)
        confirmed = (order.client.client_id, key)
        if confirmed not in self._confirmed:
            self._confirmed.add(confirmed)
            told = {
                "text": "flat, confirmed by the broker's positions",
                "instruments": "all" if key is None else sorted(line.instrument for line in order.lines()),
                "wire_ms": round((self._tools.clock.monotonic() - begun) * 1000),
            }
            self._tools.journal.record("SQUARED_OFF", order.client.client_id, told)

    def _late(self, client: ClientBook, group: PlannedSquareOff) -> None:
        """Call a person where nobody saw it flat in time."""
        if {(client.client_id, group.plan), (client.client_id, None)} & self._confirmed:
            return
        open_ = self._flattener.still_open(self._order(client, group))
        what = open_words(open_) or "the broker's positions could not be confirmed"
        text = f"not flat by {to_ist(group.plan.flat_by):%H:%M:%S}: {what}. Close it in the broker's app."
        self._tools.alarm(client.client_id, "NOT_FLAT", text)
