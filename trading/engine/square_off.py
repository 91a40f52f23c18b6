"""Flattening a client: cancel entries, close shorts first, believe only the broker's positions, call a person.

`flatten` may be asked by the engine's timer, by Beat's command, by the kill switch and by a limit, at once or one
after the other: it wants the same things again, so that whoever is second finds them wanted or done.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from trading.domain.errors import BrokerError
from trading.domain.orders import Product, Purpose
from trading.domain.square_off import SquareOffPlan
from trading.domain.timezone import to_ist
from trading.engine.client import ClientBook, LastPrice
from trading.engine.desk import AccountDesk
from trading.engine.line import ExitWish, PositionLine
from trading.engine.runner import LadderRunner
from trading.engine.tools import Tools

logger = logging.getLogger(__name__)

READS_AGAIN_AFTER_S = 1.0
SECOND_LOOK_S = 0.5
LATE_START_WAITS = timedelta(seconds=60)
"""Market time until the alarm where the engine came up after the planned start."""


@dataclass(frozen=True)
class FlattenOrder:
    """Whom and what to flatten, and why. `instruments` and `account` None mean all of them."""

    client: ClientBook
    purpose: Purpose
    reason: Mapping[str, Any] = field(default_factory=dict)
    instruments: frozenset[str] | None = None
    account: str | None = None
    ends_day: bool = True

    def covers(self, instrument: str) -> bool:
        """Say whether an instrument is to be flattened."""
        return self.instruments is None or instrument in self.instruments

    def desks(self) -> list[AccountDesk]:
        """Give the accounts that are to be flattened."""
        return [desk for desk in self.client.desks if self.account in (None, desk.ref.key)]

    def lines(self) -> list[PositionLine]:
        """Give the lines that are to be flattened."""
        return [line for desk in self.desks() for line in desk.lines.values() if self.covers(line.instrument)]


class Flattener:
    """Closes positions and confirms it with the broker. `is_stopped` ends waiting when the reign is over."""

    def __init__(self, tools: Tools, runners: Callable[[PositionLine], LadderRunner | None], price: LastPrice) -> None:
        self._tools = tools
        self._runner_of = runners
        self._price = price

    def begin(self, order: FlattenOrder) -> None:
        """Want everything closed, shorts first, then by value. Safe to call any number of times."""
        for line in sorted(order.lines(), key=self._urgency):
            self._flatten_line(line, order)

    async def flatten(self, order: FlattenOrder) -> None:
        """Close everything and return once the broker shows nothing open. Waits as long as it takes."""
        while True:
            with self._tools.work.doing():
                self.begin(order)
            await self._tools.changed.until(lambda: self._is_done(order))
            with self._tools.work.doing():
                if await self._is_flat_at_broker(order):
                    return
            await self._tools.clock.sleep(READS_AGAIN_AFTER_S)

    def still_open(self, order: FlattenOrder) -> dict[str, int]:
        """Give what our own count still has open, for alarms."""
        return {line.instrument: line.net for line in order.lines() if line.net}

    # -- inside ------------------------------------------------------------------------------------------------

    def _urgency(self, line: PositionLine) -> tuple[bool, Decimal, str]:
        value = abs(line.net) * (self._price(line.instrument) or Decimal(0))
        return line.net >= 0, -value, line.instrument

    def _flatten_line(self, line: PositionLine, order: FlattenOrder) -> None:
        line.cancel_entries()
        runner = self._runner_of(line)
        if runner is not None:
            runner.flatten(order.purpose, order.reason, ends_day=order.ends_day)
        elif not line.is_flat:
            line.want_exit(ExitWish(order.purpose, 0, order.reason, is_whole=True))
        line.advance()

    def _is_done(self, order: FlattenOrder) -> bool:
        return all(line.is_flat for line in order.lines())

    async def _is_flat_at_broker(self, order: FlattenOrder) -> bool:
        """Say whether every broker shows nothing open. One that could not be read is not flat."""
        flat = True
        for desk in order.desks():
            shown = await self._shown(desk, order)
            if shown:  # fills may be on their way: read everything again before believing it
                await self._tools.clock.sleep(SECOND_LOOK_S)
                shown = await self._shown(desk, order, reads_all=True)
            for instrument in shown or ():
                desk.line(instrument)  # also what we never heard of is closed in the next round
            flat = flat and shown == {}
        return flat

    async def _shown(self, desk: AccountDesk, order: FlattenOrder, *, reads_all: bool = False) -> dict[str, int] | None:
        try:
            if reads_all:
                await desk.read_orders()
                await desk.read_trades()
            positions = await desk.read_positions()
        except BrokerError as error:
            logger.warning("positions of account=%s could not be read: %s", desk.ref.key, error.code)
            return None
        return {
            position.instrument: position.net_quantity
            for position in positions
            if position.net_quantity and position.product == Product.MIS and order.covers(position.instrument)
        }


def open_words(open_: Mapping[str, int]) -> str:
    """Name what is open: `+100 NSE:INFY, -50 NSE:SBIN`."""
    return ", ".join(f"{units:+d} {instrument}" for instrument, units in sorted(open_.items()))


@dataclass(frozen=True)
class PlannedSquareOff:
    """One group of a client's instruments that is squared off together; `instruments` None is everything."""

    plan: SquareOffPlan
    instruments: frozenset[str] | None


class SquareOffPlanner:
    """Arms the day's square-off timers of every client, and runs `square_off(client)` for whoever asks."""

    def __init__(self, tools: Tools, flattener: Flattener) -> None:
        self._tools = tools
        self._flattener = flattener
        self._armed: dict[int, list[tuple[object, ...]]] = {}
        self._confirmed: set[tuple[int, frozenset[str] | None]] = set()

    def arm(self, client: ClientBook, groups: Iterable[PlannedSquareOff]) -> None:
        """Set the timers of one client in place of those set before. What is past is run at once."""
        for key in self._armed.pop(client.client_id, []):
            self._tools.timers.cancel(key)
        if not client.desks:
            return
        keys = self._armed[client.client_id] = []
        for number, group in enumerate(sorted(groups, key=lambda group: group.plan.start)):
            start, deadline = group.plan.start, max(group.plan.flat_by, self._tools.now() + LATE_START_WAITS)
            keys += [("square off", client.client_id, number), ("flat by", client.client_id, number)]
            self._tools.timers.set(keys[-2], start, partial(self._start, client, group))
            self._tools.timers.set(keys[-1], deadline, partial(self._deadline, client, group))

    async def square_off(self, client: ClientBook, reason: Mapping[str, Any]) -> None:
        """Square off everything of one client; returns once the broker shows it flat. Idempotent within a day."""
        client.is_squared_off = True
        await self._run(FlattenOrder(client, Purpose.SQUARE_OFF, reason))

    def _start(self, client: ClientBook, group: PlannedSquareOff) -> None:
        client.is_squared_off = client.is_squared_off or group.instruments is None
        order = FlattenOrder(client, Purpose.SQUARE_OFF, {"rule": group.plan.reason}, group.instruments)
        self._flattener.begin(order)
        self._tools.work.spawn(self._run(order), f"square off {client.client_id}", counts=False)

    async def _run(self, order: FlattenOrder) -> None:
        begun = self._tools.clock.monotonic()
        await self._flattener.flatten(order)
        key = (order.client.client_id, order.instruments)
        if key not in self._confirmed:
            self._confirmed.add(key)
            told = {
                "text": "flat, confirmed by the broker's positions",
                "instruments": "all" if order.instruments is None else sorted(order.instruments),
                "wire_ms": round((self._tools.clock.monotonic() - begun) * 1000),
            }
            self._tools.journal.record("SQUARED_OFF", order.client.client_id, told)

    def _deadline(self, client: ClientBook, group: PlannedSquareOff) -> None:
        done = {(client.client_id, group.instruments), (client.client_id, None)}
        if done & self._confirmed:
            return
        open_ = self._flattener.still_open(FlattenOrder(client, Purpose.SQUARE_OFF, {}, group.instruments))
        what = open_words(open_) or "the broker's positions could not be confirmed"
        text = f"not flat by {to_ist(group.plan.flat_by):%H:%M:%S}: {what}. Close it in the broker's app."
        self._tools.alarm(client.client_id, "NOT_FLAT", text)
