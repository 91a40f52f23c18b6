"""What waits to be sent to one socket: of everything that repeats only the newest, of events every one."""

from collections.abc import Mapping
from typing import Any

MOST_EVENTS = 200
KEY_OF = {
    "position": ("account", "instrument"),
    "order": ("tag",),
    "quote": ("instrument",),
    "client": ("id",),
    "reconciliation": ("account",),
}
"""Which fields tell two messages of a kind apart; other kinds replace one another."""
ADDED_UP = frozenset({"client", "market"})
"""Kinds whose messages may carry a part of the fields: a newer one leaves the rest as it was."""


class Outbox:
    """Gathers messages between two sendings."""

    def __init__(self) -> None:
        self._newest: dict[tuple[Any, ...], tuple[str, Mapping[str, Any]]] = {}
        self._events: list[tuple[str, Mapping[str, Any]]] = []

    def put(self, kind: str, data: Mapping[str, Any]) -> None:
        """Add one message. Beyond MOST_EVENTS the oldest events are dropped: the snapshot has them."""
        if kind == "event":
            self._events = [*self._events[1 - MOST_EVENTS :], (kind, data)]
            return
        key = (kind, *(data.get(name) for name in KEY_OF.get(kind, ())))
        old = self._newest.get(key)
        self._newest[key] = (kind, {**old[1], **data} if old and kind in ADDED_UP else data)

    def take(self) -> list[tuple[str, Mapping[str, Any]]]:
        """Give what waits, and forget it."""
        found = [*self._newest.values(), *self._events]
        self.clear()
        return found

    def clear(self) -> None:
        """Forget what waits: a snapshot says it all."""
        self._newest, self._events = {}, []
