"""One ticker socket: its subscriptions, and what waits for its reader.

A reader that falls behind gets every order message, but of the ticks it missed only the newest of each instrument: what
waits for it stays below a few megabytes, and neither the market nor another socket ever waits for it.
"""

import asyncio
from collections import deque
from collections.abc import Callable

from trading.exchange.kite import packets

MOST_TICKS_WAITING = 4 * 2**20
"""Bytes of whole frames that may wait, about two seconds of 3,000 instruments in full mode; then ticks are joined."""
MOST_ORDERS_WAITING = 20_000
"""Order messages that may wait before the connection is given up."""


def _nothing() -> None:
    """Stand in until there is a socket."""


class Connection:
    """What one socket wants, what waits for it, and how many messages of each kind it gets."""

    def __init__(self, user_id: str, api_key: str) -> None:
        self.user_id = user_id
        self.api_key = api_key
        self.modes: dict[int, str] = {}
        self.is_ticker = False
        self.tick_frames = 0
        self.order_frames = 0
        self.give_up: Callable[[], None] = _nothing
        """Cuts the connection. Set by whoever holds the socket."""
        self._waiting: deque[bytes | str] = deque()
        self._tick_bytes = 0
        self._texts = 0
        self._late: dict[int, bytes] = {}
        self._something = asyncio.Event()

    def send(self, text: str) -> None:
        """Queue a text frame; a reader too slow for MOST_ORDERS_WAITING of them is cut off."""
        if self._texts >= MOST_ORDERS_WAITING:
            self.give_up()
            return
        self._texts += 1
        self._queue(text)

    def send_order(self, text: str) -> None:
        """Queue one order message and count it."""
        self.order_frames += 1
        self.send(text)

    def send_ticks(self, frame: bytes) -> None:
        """Queue one binary frame and count it; behind a long queue its packets are joined with those that come."""
        if self._late or self._tick_bytes >= MOST_TICKS_WAITING:
            self.tick_frames += not self._late
            self._late.update((packets.token_of(packet), packet) for packet in packets.parts(frame))
            return
        self.tick_frames += 1
        self._tick_bytes += len(frame)
        self._queue(frame)

    def _queue(self, message: bytes | str) -> None:
        self._waiting.append(message)
        self._something.set()

    async def next(self) -> bytes | str:
        """Give the next message, waiting for one."""
        while True:
            if self._waiting:
                return self._next_queued()
            if self._late and (wanted := self._take_late()):
                return packets.frame(wanted)
            self._something.clear()
            await self._something.wait()

    def _next_queued(self) -> bytes | str:
        message = self._waiting.popleft()
        if isinstance(message, bytes):
            self._tick_bytes -= len(message)
        else:
            self._texts -= 1
        return message

    def _take_late(self) -> list[bytes]:
        """Give the newest packet of each instrument that is still wanted."""
        late, self._late = self._late, {}
        wanted = [packet for token, packet in late.items() if token in self.modes]
        self.tick_frames -= not wanted  # it was counted, and does not go out
        return wanted
