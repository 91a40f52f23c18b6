"""Answers and messages that take their time on the wire (`POST /behaviour`, `latency`)."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from trading.exchange.venue import Venue
from trading.exchange.venue.desk import Update
from trading.exchange.venue.orders import Order


async def acknowledged(venue: Venue, order: Order) -> dict[str, str]:
    """Answer that a wish about an order was taken, after the acknowledgement's delay. It was carried out already."""
    await wait_for_ack(venue, order.sequence, order.modifications, order.wants_cancel)
    return {"order_id": order.order_id}


async def wait_for_ack(venue: Venue, *event: object) -> None:
    """Let the acknowledgement's delay pass, none unless one is set."""
    seconds = venue.behaviour.latency.draw("ack", *event)
    if not seconds:
        return
    number = venue.transit.begin(seconds)
    try:
        await asyncio.sleep(seconds)
    finally:
        venue.transit.end(number)
        venue.wake()


class _Waiting(NamedTuple):
    """A message under way: when it is due by the loop's time, its number in transit, how it is delivered."""

    due: float
    number: int
    deliver: Callable[[], None]


class Arriving:
    """Sends the messages about orders after their delay, those of one user in their order."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._lines: dict[str, deque[_Waiting]] = {}

    def delay_of(self, update: Update) -> float:
        """Give the wire seconds that a message takes, 0 unless delays are set."""
        latency = self._venue.behaviour.latency
        return latency.draw("update", update.order.sequence, len(update.order.history)) if latency.delays else 0.0

    def send(self, update: Update, deliver: Callable[[], None]) -> None:
        """Deliver a message now, or when it is due and those before it are out."""
        seconds, user_id = self.delay_of(update), update.order.user_id
        line = self._lines.get(user_id)
        if not seconds and not line:
            deliver()
            return
        loop = asyncio.get_running_loop()
        line = self._lines.setdefault(user_id, deque())
        due = max(loop.time() + seconds, line[-1].due if line else 0.0)
        line.append(_Waiting(due, self._venue.transit.begin(due - loop.time()), deliver))
        loop.call_at(due, self._arrive, user_id)

    def _arrive(self, user_id: str) -> None:
        """Deliver the user's first that waits: whose timer it was does not matter, so many timers as messages."""
        waiting = self._lines[user_id].popleft()
        if not self._lines[user_id]:
            del self._lines[user_id]
        waiting.deliver()
        self._venue.transit.end(waiting.number)
        self._venue.wake()
