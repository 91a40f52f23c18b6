"""The day's square-off of every client: armed timers, late passes, and whoever else asks for it.

Beat's command, the engine's timer and the standby's all end in the same idempotent square-off: whoever is second
finds it wanted or done.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from trading.domain.broker_desks import phone_words
from trading.domain.orders import Purpose
from trading.domain.timezone import to_ist
from trading.engine.client import ClientBook
from trading.engine.flatten import Flattener, FlattenOrder, everything
from trading.engine.square_off_plans import PlannedSquareOff, SquareOffPlans
from trading.engine.tools import Tools

logger = logging.getLogger(__name__)

LATE_START_WAITS = timedelta(seconds=10)
"""Market time until the alarm where it started after the moment to be flat at, because the engine came up late."""
ALARMS_AGAIN_AFTER = timedelta(seconds=60)
LAST_LOOK_TAKES_S = 5.0
"""Wire seconds that the look at the moment to be flat at gets, where it was seen flat before."""
NEAR = timedelta(minutes=5)
"""Before the first start: positions are read more often from then on."""

OnPlan = Callable[[ClientBook, list[PlannedSquareOff]], None]
OnGroup = Callable[[ClientBook, PlannedSquareOff], None]


class SquareOffPlanner:
    """Arms the day's square-off timers of every client, and runs `square_off(client)` for whoever asks."""

    def __init__(self, tools: Tools, flattener: Flattener, plans: SquareOffPlans, on_plan: OnPlan) -> None:
        self._tools = tools
        self._flattener = flattener
        self._plans = plans
        self._on_plan = on_plan
        self._groups: dict[int, dict[datetime, PlannedSquareOff]] = {}
        """By client, and by the moment to be flat at."""
        self._clients: dict[int, ClientBook] = {}
        self._begun: set[tuple[int, datetime]] = set()
        self._confirmed: set[tuple[int, datetime | None]] = set()
        """(client, moment to be flat at) seen flat at the broker; None is everything."""
        self._told: set[tuple[int, datetime | None]] = set()
        """Of which people were told that they are flat, and nothing else since."""

    # -- when --------------------------------------------------------------------------------------------------

    def arm(self, client: ClientBook) -> None:
        """Set the timers of one client in place of those set before. What is past is run at once."""
        for deadline in self._groups.pop(client.client_id, {}):
            self._tools.timers.cancel(("square off", client.client_id, deadline))
            self._tools.timers.cancel(("flat by", client.client_id, deadline))
            self._begun.discard((client.client_id, deadline))
        if client.desks:
            self._plan(client)

    def replan_soon(self, client: ClientBook) -> None:
        """What is open changed: plan again once all that happens at this moment has happened."""
        if client.client_id in self._groups:
            key = ("plan square-off", client.client_id)
            self._tools.timers.set(key, self._tools.now(), partial(self._plan, client))

    def _plan(self, client: ClientBook) -> None:
        known, planned = self._groups.get(client.client_id, {}), self._plans.now(client)
        self._clients[client.client_id] = client
        self._groups[client.client_id] = {group.plan.flat_by: group for group in planned}
        for group in planned:
            deadline, before = group.plan.flat_by, known.get(group.plan.flat_by)
            if (client.client_id, deadline) in self._begun:
                continue
            if before is None or before.plan.start != group.plan.start:
                key = ("square off", client.client_id, deadline)
                self._tools.timers.set(key, group.plan.start, partial(self._start, client, deadline))
                self._tell_moved(client, before, group)
        self._on_plan(client, planned)

    def _tell_moved(self, client: ClientBook, before: PlannedSquareOff | None, group: PlannedSquareOff) -> None:
        if before is not None:
            told = {"text": group.plan.reason, "start": to_ist(group.plan.start).isoformat(), "orders": group.orders}
            self._tools.journal.record("SQUARE_OFF_MOVED", client.client_id, told)

    # -- how it stands -----------------------------------------------------------------------------------------

    def is_near(self, client: ClientBook) -> bool:
        """Say whether a square-off of this client begins within minutes or is not seen flat yet."""
        groups = self._groups.get(client.client_id, {}).values()
        first = min((group.plan.start for group in groups), default=None)
        if first is None or self._tools.now() < first - NEAR:
            return False
        return any((client.client_id, _key(group)) not in self._confirmed for group in groups)

    def unfinished(self) -> list[tuple[FlattenOrder, datetime]]:
        """Give the square-offs that began by their timers and were not seen flat yet, with the moment to be flat at."""
        return [
            (self._order(self._clients[client_id], group), deadline)
            for client_id, groups in self._groups.items()
            for deadline, group in groups.items()
            if (client_id, deadline) in self._begun and not self._is_seen_flat(client_id, group)
        ]

    def _is_seen_flat(self, client_id: int, group: PlannedSquareOff) -> bool:
        return bool({(client_id, _key(group)), (client_id, None)} & self._confirmed)

    # -- doing it ----------------------------------------------------------------------------------------------

    async def square_off(self, client: ClientBook, reason: Mapping[str, Any]) -> None:
        """Square off everything of one client; returns once the broker shows it flat. Idempotent within a day."""
        client.is_squared_off = True
        await self._run(FlattenOrder(client, Purpose.SQUARE_OFF, reason), None)

    async def square_off_due(self, client: ClientBook) -> None:
        """Square off what of one client is due by now, as its timers do."""
        for group in list(self._groups.get(client.client_id, {}).values()):
            if group.plan.start <= self._tools.now():
                client.is_squared_off = client.is_squared_off or group.is_whole
                await self._run(self._order(client, group), _key(group))

    def _order(self, client: ClientBook, group: PlannedSquareOff) -> FlattenOrder:
        covers = everything if group.is_whole else partial(self._is_due_by, client, group.plan.flat_by)
        return FlattenOrder(client, Purpose.SQUARE_OFF, {"rule": group.plan.reason}, covers)

    def _is_due_by(self, client: ClientBook, deadline: datetime, instrument: str) -> bool:
        return self._plans.flat_by(client, instrument) <= deadline

    def _start(self, client: ClientBook, deadline: datetime) -> None:
        group = self._groups[client.client_id][deadline]
        self._begun.add((client.client_id, deadline))
        late_at = max(deadline, self._tools.now() + LATE_START_WAITS)
        self._at(late_at, client, group, self._look_again)
        client.is_squared_off = client.is_squared_off or group.is_whole
        # What a person squared off earlier in the day says nothing about what is open now.
        self._confirmed.discard((client.client_id, _key(group)))
        self._told.discard((client.client_id, _key(group)))
        self._begin(client, group)

    def _begin(self, client: ClientBook, group: PlannedSquareOff) -> None:
        order = self._order(client, group)
        self._flattener.begin(order)
        self._tools.work.spawn(self._run(order, _key(group)), f"square off {client.client_id}", counts=False)

    async def _run(self, order: FlattenOrder, key: datetime | None) -> None:
        begun = self._tools.clock.monotonic()
        await self._flattener.flatten(order)
        confirmed = (order.client.client_id, key)
        self._confirmed.add(confirmed)
        if confirmed not in self._told:
            self._told.add(confirmed)
            told = {
                "text": "flat, confirmed by the broker's positions",
                "instruments": "all" if key is None else sorted(line.instrument for line in order.lines()),
                "wire_ms": round((self._tools.clock.monotonic() - begun) * 1000),
            }
            self._tools.journal.record("SQUARED_OFF", order.client.client_id, told)

    def _at(self, moment: datetime, client: ClientBook, group: PlannedSquareOff, do: OnGroup) -> None:
        key = ("flat by", client.client_id, group.plan.flat_by)
        self._tools.timers.set(key, moment, partial(do, client, group))

    def _look_again(self, client: ClientBook, group: PlannedSquareOff) -> None:
        """It has to be flat now. What was seen flat before is looked at once more: a hand may have traded since."""
        if self._is_seen_flat(client.client_id, group):
            self._confirmed -= {(client.client_id, _key(group)), (client.client_id, None)}
            self._begin(client, group)
            if all(line.is_flat for line in self._order(client, group).lines()):
                self._tools.work.spawn(self._judge_later(client, group), "last look", counts=False)
                return
        self._late(client, group)

    async def _judge_later(self, client: ClientBook, group: PlannedSquareOff) -> None:
        await self._tools.clock.sleep(LAST_LOOK_TAKES_S)
        if (client.client_id, group.plan.flat_by) in self._begun:
            self._late(client, group)

    def open_words(self, order: FlattenOrder) -> str:
        """Say, account by account, what of a square-off is open or cannot be seen; empty when nothing is known."""
        return self._flattener.still_open_words(order)

    def _late(self, client: ClientBook, group: PlannedSquareOff) -> None:
        """Call a person where nobody saw it flat in time, and again every minute until somebody does."""
        deadline = group.plan.flat_by
        if self._is_seen_flat(client.client_id, group):
            return
        self._told.discard((client.client_id, _key(group)))
        what = self.open_words(self._order(client, group)) or "the broker's positions could not be confirmed"
        phone = phone_words(desk.ref.broker for desk in client.desks)
        text = f"not flat by {to_ist(deadline):%H:%M:%S}: {what}. Close it in the broker's app{phone}."
        self._tools.alarm(client.client_id, "NOT_FLAT", text)
        self._at(self._tools.now() + ALARMS_AGAIN_AFTER, client, group, self._late)


def _key(group: PlannedSquareOff) -> datetime | None:
    return None if group.is_whole else group.plan.flat_by
