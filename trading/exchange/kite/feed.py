"""Who is connected to the ticker socket, what each wants, and the counters by which others know what was sent.

A connection with subscriptions is a ticker connection. Order messages go to every connection of the user; the one
that counts is the newest without subscriptions, else the ticker's. Counters begin anew with a new connection.
"""

import asyncio
import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from trading.exchange.faults import Faults
from trading.exchange.faults.places import UPDATE
from trading.exchange.faults.rules import Target
from trading.exchange.kite import packets
from trading.exchange.kite.arriving import Arriving
from trading.exchange.kite.delivery import Delivery
from trading.exchange.kite.shapes.orders import order_message
from trading.exchange.kite.tick_faults import TickFaults
from trading.exchange.market.quotes import Quote
from trading.exchange.venue import Venue
from trading.exchange.venue.desk import Update

SOCKETS_PER_KEY = 3
TOKENS_PER_SOCKET = 3000
MOST_WAITING = 20_000
"""Messages that may wait for a slow reader before its connection is given up."""


class Connection:
    """One socket: its subscriptions, its outgoing messages, and how many of each kind went out."""

    def __init__(self, user_id: str, api_key: str) -> None:
        self.user_id = user_id
        self.api_key = api_key
        self.modes: dict[int, str] = {}
        self.is_ticker = False
        self.tick_frames = 0
        self.order_frames = 0
        self.outbox: asyncio.Queue[bytes | str] = asyncio.Queue()
        self.give_up: Callable[[], None] = _nothing
        """Cuts the connection. Set by whoever holds the socket."""

    def send(self, message: bytes | str) -> None:
        """Queue one message; a reader too slow for MOST_WAITING of them is cut off."""
        if self.outbox.qsize() >= MOST_WAITING:
            self.give_up()
            return
        self.outbox.put_nowait(message)

    def send_ticks(self, message: bytes) -> None:
        """Queue one binary frame and count it."""
        self.tick_frames += 1
        self.send(message)

    def send_order(self, message: str) -> None:
        """Queue one order message and count it."""
        self.order_frames += 1
        self.send(message)


class Feed:
    """All connections of one exchange."""

    def __init__(self, venue: Venue, faults: Faults) -> None:
        self._venue = venue
        self._delivery = Delivery(faults)
        self._tick_faults = TickFaults(venue, faults, self._delivery)
        self._connections: list[Connection] = []
        self._arriving = Arriving(venue)
        venue.listeners.append(self.on_updates)

    def can_join(self, api_key: str) -> bool:
        """Say whether this key may open one more socket."""
        return sum(one.api_key == api_key for one in self._connections) < SOCKETS_PER_KEY

    def join(self, connection: Connection) -> None:
        """Take a connection in; it is the newest."""
        self._connections.append(connection)

    def leave(self, connection: Connection) -> None:
        """Forget a connection."""
        self._connections.remove(connection)

    def cut(self, user_id: str = "") -> int:
        """Break every connection of a user, of all when empty, without a word; give how many there were."""
        mine = [one for one in self._connections if user_id in ("", one.user_id)]
        for one in mine:
            one.give_up()
        return len(mine)

    def evict_oldest(self, api_key: str) -> None:
        """Break the first connection of a key."""
        next(one for one in self._connections if one.api_key == api_key).give_up()

    # -- counters ------------------------------------------------------------------------------------

    @property
    def tick_frames(self) -> dict[str, int]:
        """Give, by user, the binary frames sent on the present (newest) ticker connection."""
        return {one.user_id: one.tick_frames for one in self._connections if one.is_ticker}

    @property
    def order_frames(self) -> dict[str, int]:
        """Give, by user, the order messages sent on the present order connection."""
        counts = {one.user_id: one.order_frames for one in self._connections if one.is_ticker}
        counts.update({one.user_id: one.order_frames for one in self._connections if not one.is_ticker})
        return counts

    # -- ticks ---------------------------------------------------------------------------------------

    def publish(self, quotes: Sequence[Quote]) -> None:
        """Send each connection one frame with what it subscribed of these quotes, nothing when that is nothing."""
        if self._tick_faults.are_on:
            for connection in self._connections:
                self._tick_faults.publish(connection, quotes)
            return
        encoded: dict[tuple[int, str], bytes] = {}
        for connection in self._connections:
            if connection.modes:
                self._publish_to(connection, quotes, encoded)

    def _publish_to(
        self, connection: Connection, quotes: Iterable[Quote], encoded: dict[tuple[int, str], bytes]
    ) -> None:
        wanted = []
        for quote in quotes:
            mode = connection.modes.get(quote.token)
            if mode is None:
                continue
            packet = encoded.get((quote.token, mode))
            if packet is None:
                packet = encoded[quote.token, mode] = packets.packet(quote, mode)
            wanted.append(packet)
        if wanted:
            connection.send_ticks(packets.frame(wanted))

    def snapshot(self, connection: Connection, tokens: Iterable[int]) -> None:
        """Send the present quotes of tokens just subscribed or set to another mode, as Kite does."""
        market = self._venue.market
        wanted = [token for token in tokens if token in connection.modes and token in market.instruments]
        for token in wanted:
            market.watch(token)
        shown = self._venue.shown([market.quote(token) for token in wanted])
        if self._tick_faults.are_on:
            self._tick_faults.snapshot(connection, shown)
            return
        self._publish_to(connection, shown, {})

    # -- order messages ------------------------------------------------------------------------------

    def on_updates(self, updates: Sequence[Update]) -> None:
        """Send order messages to every connection of their users."""
        for update in updates:
            self._send_update(update)

    def _send_update(self, update: Update) -> None:
        user_id, api_key = update.order.user_id, update.order.api_key
        app = self._venue.users[user_id]
        data = order_message(update.order, update.word, app, checksum="")
        text = json.dumps({"type": "order", "data": data}, separators=(",", ":"))
        target = Target(UPDATE, "/updates", user_id, api_key)
        self._arriving.send(
            update, lambda: self._delivery.deliver(target, user_id, lambda: self._broadcast(user_id, text))
        )

    def _broadcast(self, user_id: str, text: str) -> None:
        for connection in self._connections:
            if connection.user_id == user_id:
                connection.send_order(text)


def _nothing() -> None:
    """Stand in until there is a socket."""


def error_text(message: str) -> str:
    """Give Kite's text frame for a socket error."""
    body: dict[str, Any] = {"type": "error", "data": message}
    return json.dumps(body)
