"""A tick feed that a test fills, and a publisher that remembers."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

from trading.domain.ticks import Tick
from trading.ports import TickBatch


class FakeFeed:
    """Gives every reader the batches that a test puts in from then on."""

    def __init__(self) -> None:
        self._queues: list[asyncio.Queue[TickBatch]] = []

    def put(self, *ticks: Tick, step: int | None = None) -> None:
        """Send one batch."""
        for queue in self._queues:
            queue.put_nowait(TickBatch(ticks, step))

    async def batches(self) -> AsyncIterator[TickBatch]:
        queue: asyncio.Queue[TickBatch] = asyncio.Queue()
        self._queues.append(queue)
        while True:
            yield await queue.get()


class FakeLive:
    """Keeps every published message as (client, kind, data)."""

    def __init__(self) -> None:
        self.messages: list[tuple[int | None, str, Mapping[str, Any]]] = []

    def publish(self, client_id: int | None, kind: str, data: Mapping[str, Any]) -> None:
        self.messages.append((client_id, kind, data))

    def last(self, kind: str, client_id: int | None = 1) -> Mapping[str, Any]:
        """Give the newest message of a kind to a client."""
        return next(data for who, what, data in reversed(self.messages) if (who, what) == (client_id, kind))
