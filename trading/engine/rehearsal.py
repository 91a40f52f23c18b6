"""The square-off's rehearsal: minutes before the first start each client is told what would be closed, in which order,
by how many orders, how long that takes, and what hinders it. Nothing is sent.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from functools import partial
from typing import Any

from trading.domain.errors import BrokerError
from trading.domain.money import to_paisa
from trading.domain.orders import IntentState, Product, Purpose, Side
from trading.domain.timezone import at_ist, to_ist
from trading.engine.client import ClientBook
from trading.engine.desk import AccountDesk
from trading.engine.flatten import Flattener, FlattenOrder
from trading.engine.house import House
from trading.engine.line import PositionLine
from trading.engine.square_off_plans import PlannedSquareOff, SquareOffPlans
from trading.engine.tools import Tools

logger = logging.getLogger(__name__)

USUALLY_AT = time(15, 10)
BEFORE_THE_FIRST_START = timedelta(minutes=5)


class Rehearsal:
    """Rehearses each client once a day and life of the engine, and again only when the first start moves."""

    def __init__(self, tools: Tools, house: House, flattener: Flattener, plans: SquareOffPlans) -> None:
        self._tools = tools
        self._house = house
        self._flattener = flattener
        self._plans = plans
        self._done: set[int] = set()

    def arm(self, client: ClientBook, planned: Sequence[PlannedSquareOff]) -> None:
        """Set the time: 15:10, or five minutes before the first start where that is earlier. What is past is now."""
        first = min((group.plan.start for group in planned), default=None)
        if first is None or client.client_id in self._done:
            return
        at = min(at_ist(self._tools.day, USUALLY_AT), first - BEFORE_THE_FIRST_START)
        self._tools.timers.set(("rehearse", client.client_id), at, partial(self._begin, client))

    def _begin(self, client: ClientBook) -> None:
        self._done.add(client.client_id)
        if not client.is_squared_off:
            self._tools.work.spawn(self._rehearse(client), f"rehearse {client.client_id}", counts=False)

    async def _rehearse(self, client: ClientBook) -> None:
        accounts = self._house.accounts
        await self._tools.changed.until(
            lambda: all(accounts[desk.ref.key].reconciler.is_first_done for desk in client.desks)
        )
        with self._tools.work.doing():
            hinders = [words for desk in client.desks for words in await self._hindrances(desk)]
            self._tell(client, hinders)

    def _tell(self, client: ClientBook, hinders: list[str]) -> None:
        planned = self._plans.now(client)
        told = [self._group(client, group, planned) for group in planned]
        too_long = [words for group in planned if (words := self._too_long(group))]
        trouble = [*too_long, *hinders]
        data = {"text": _words(told, trouble), "groups": told, "hinders": trouble, "fits": not too_long}
        self._tools.journal.record("SQUARE_OFF_REHEARSED", client.client_id, data)
        text = f"rehearsal of the square-off: {'; '.join(trouble)}"
        if too_long:
            self._tools.alarm(client.client_id, "SQUARE_OFF_TOO_LONG", text)
        elif hinders and any(group["positions"] for group in told):
            self._tools.alarm(client.client_id, "SQUARE_OFF_HINDERED", text)

    def _too_long(self, group: PlannedSquareOff) -> str:
        plan, now = group.plan, self._tools.now()
        if not group.orders or plan.start >= now:
            return ""
        left = max(0.0, (plan.flat_by - now).total_seconds())
        return f"{group.orders} orders take about {group.needed.total_seconds():.0f} s and only {left:.0f} s are left"

    # -- what would be done ------------------------------------------------------------------------------------

    def _group(
        self, client: ClientBook, group: PlannedSquareOff, planned: Sequence[PlannedSquareOff]
    ) -> dict[str, Any]:
        lines = [
            line
            for line in self._flattener.in_order(FlattenOrder(client, Purpose.SQUARE_OFF))
            if line.net and self._deadline(client, line, planned) == group.plan.flat_by
        ]
        return {
            "start": _clock(group.plan.start),
            "flat_by": _clock(group.plan.flat_by),
            "reason": group.plan.reason,
            "seconds": round(group.needed.total_seconds()),
            "orders": group.orders,
            "cancels": sum(work.cancels for work in group.work.values()),
            "positions": [self._position(line) for line in lines],
        }

    def _deadline(self, client: ClientBook, line: PositionLine, planned: Sequence[PlannedSquareOff]) -> datetime:
        own = self._plans.flat_by(client, line.instrument)
        return next((group.plan.flat_by for group in planned if own <= group.plan.flat_by), own)

    def _position(self, line: PositionLine) -> dict[str, Any]:
        price = self._house.instruments.last_price(line.instrument)
        return {
            "account": line.ref.key,
            "instrument": line.instrument,
            "quantity": line.net,
            "orders": self._plans.slices(line.instrument, abs(line.net)),
            "value": None if price is None else str(to_paisa(price * abs(line.net))),
        }

    # -- what hinders it ---------------------------------------------------------------------------------------

    async def _hindrances(self, desk: AccountDesk) -> list[str]:
        """Ask the broker, and say what stands in the way of this account's square-off; empty when nothing does."""
        key = desk.ref.key
        try:
            shown = {
                position.instrument: position.net_quantity
                for position in await desk.read_positions()
                if position.net_quantity and position.product == Product.MIS
            }
        except BrokerError as error:
            logger.warning("positions of account=%s could not be read for the rehearsal: %s", key, error.code)
            why = "does not answer" if desk.has_session else "must be signed in at the broker"
            return [f"{key} {why}: its positions are our own count"]
        for instrument in shown:
            desk.line(instrument)
        counted = {name: units for name in desk.lines if (units := desk.orders.counted_net(name))}
        found = [] if shown == counted else [f"{key} shows {_held(shown)} where we count {_held(counted)}"]
        if desk.budget.is_spent:
            found.append(f"{key} has used up its order calls of today")
        found += [
            f"it is not known whether the broker has an order for {working.intent.key.instrument}"
            for working in desk.orders.by_tag.values()
            if working.state is IntentState.IN_DOUBT
        ]
        found += [words for line in desk.lines.values() if line.net and (words := self._closed(line))]
        return found + await self._locked(desk)

    async def _locked(self, desk: AccountDesk) -> list[str]:
        """Say what stands at its circuit limit, so that nobody would take its exit now; unknown is no hindrance."""
        exits = {line.instrument: Side.SELL if line.net > 0 else Side.BUY for line in desk.lines.values() if line.net}
        if not exits:
            return []
        try:
            quotes = await desk.read_quotes(list(exits))
        except BrokerError as error:
            logger.info("circuit limits of account=%s are not known: %s", desk.ref.key, error.code)
            return []
        return [
            f"{key} cannot be {'sold' if side is Side.SELL else 'bought'} now: it is locked at its circuit limit of "
            f"{quotes[key].farthest(side)}, and may stay open overnight"
            for key, side in exits.items()
            if key in quotes and quotes[key].is_locked(side)
        ]

    def _closed(self, line: PositionLine) -> str:
        """Say that an instrument can be traded no more, or only in an auction."""
        calendar, kind = self._tools.deps.calendar, self._house.instruments.class_of(line.instrument)
        hours = calendar.find_session(self._tools.day, kind)
        if hours is None or self._tools.now() < hours.continuous_end:
            return ""
        where = "it goes into the closing auction" if hours.has_closing_auction else "it cannot be closed here any more"
        return f"continuous trading of {line.instrument} has ended: {where}"


def _clock(moment: datetime) -> str:
    return f"{to_ist(moment):%H:%M:%S}"


def _held(positions: dict[str, int]) -> str:
    return ", ".join(f"{units:+d} {key}" for key, units in sorted(positions.items())) or "nothing"


def _words(groups: Sequence[dict[str, Any]], hinders: Sequence[str]) -> str:
    busy = [group for group in groups if group["positions"]]
    parts = [
        f"{len(group['positions'])} position{'s' if len(group['positions']) > 1 else ''} by {group['orders']} "
        f"order{'s' if group['orders'] > 1 else ''} from {group['start']}, about {group['seconds']} s, "
        f"flat by {group['flat_by']}"
        for group in busy
    ]
    plan = "; ".join(parts) or "nothing is open"
    return f"{plan}. {'Hindered: ' + '; '.join(hinders) if hinders else 'Nothing hinders it'}"
