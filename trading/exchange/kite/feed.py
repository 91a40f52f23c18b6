"""Who is connected to the ticker socket, what each wants, and the counters by which others know what was sent.

A connection with subscriptions is a ticker connection. Order messages go to every connection of the user; the one
that counts is the newest without subscriptions, else the ticker's. Counters begin anew with a new connection.
"""

import asyncio
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from trading.exchange.faults import Faults
from trading.exchange.faults.places import UPDATE
from trading.exchange.faults.rules import Target
from trading.exchange.kite import packets
from trading.exchange.kite.arriving import Arriving
from trading.exchange.kite.connection import Connection
from trading.exchange.kite.delivery import Delivery
from trading.exchange.kite.shapes.orders import order_message
from trading.exchange.kite.tick_faults import TickFaults
from trading.exchange.market.quotes import Quote
from trading.exchange.venue import Venue
from trading.exchange.venue.desk import Update

SOCKETS_PER_KEY = 3
TOKENS_PER_SOCKET = 3000
PREPARED_AT_ONCE = 50
"""Contracts that the market begins to follow before others get their turn, some 15 ms of work."""


class Feed:
    """All connections of one exchange."""

    def __init__(self, venue: Venue, faults: Faults) -> None:
        self._venue = venue
        self._delivery = Delivery(faults)
        self._tick_faults = TickFaults(venue, faults, self._delivery)
        self._connections: list[Connection] = []
        self._arriving = Arriving(venue)
        self._of_user: defaultdict[str, list[Connection]] = defaultdict(list)
        venue.listeners.append(self.on_updates)

    def can_join(self, api_key: str) -> bool:
        """Say whether this key may open one more socket."""
        return sum(one.api_key == api_key for one in self._connections) < SOCKETS_PER_KEY

    def join(self, connection: Connection) -> None:
        """Take a connection in; it is the newest."""
        self._connections.append(connection)
        self._of_user[connection.user_id].append(connection)

    def leave(self, connection: Connection) -> None:
        """Forget a connection."""
        self._connections.remove(connection)
        self._of_user[connection.user_id].remove(connection)

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
        subscribed = set().union(*(one.modes.keys() for one in self._connections))
        quotes = self._venue.shown([quote for quote in quotes if quote.token in subscribed])
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

    async def prepare(self, tokens: Sequence[int]) -> None:
        """Let the market follow these tokens, a few at a time: 3,000 contracts that nobody followed take seconds,
        and nobody's order waits for them."""
        market = self._venue.market
        for start in range(0, len(tokens), PREPARED_AT_ONCE):
            for token in tokens[start : start + PREPARED_AT_ONCE]:
                if token in market.instruments:
                    market.watch(token)
            if start + PREPARED_AT_ONCE < len(tokens):
                await asyncio.sleep(0)

    def snapshot(self, connection: Connection, tokens: Iterable[int]) -> None:
        """Send the present quotes of prepared tokens, just subscribed or set to another mode, as Kite does."""
        market = self._venue.market
        wanted = [token for token in tokens if token in connection.modes and token in market.instruments]
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
        if not self._of_user[user_id] and not self._delivery.may_strike and not self._venue.behaviour.latency.delays:
            return  # nobody listens, now or when it arrives
        app = self._venue.users[user_id]
        data = order_message(update.order, update.word, app, checksum="")
        text = json.dumps({"type": "order", "data": data}, separators=(",", ":"))
        target = Target(UPDATE, "/updates", user_id, api_key)
        self._arriving.send(
            update, lambda: self._delivery.deliver(target, user_id, lambda: self._broadcast(user_id, text))
        )

    def _broadcast(self, user_id: str, text: str) -> None:
        for connection in self._of_user[user_id]:
            connection.send_order(text)


def error_text(message: str) -> str:
    """Give Kite's text frame for a socket error."""
    body: dict[str, Any] = {"type": "error", "data": message}
    return json.dumps(body)
