"""Postbacks: order messages by HTTP to the app's URL, in the background, once each.

The checksum is SHA-256 over order id, order time stamp and api secret, as in Kite's documentation. Sent for
COMPLETE, REJECTED, CANCELLED and UPDATE, only for orders of that app, also while the user is logged out.
"""

import asyncio
import logging
from collections.abc import Sequence
from functools import partial
from hashlib import sha256
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout

from trading.exchange.faults import Faults
from trading.exchange.faults.places import POSTBACK
from trading.exchange.faults.rules import Target
from trading.exchange.kite.arriving import Arriving
from trading.exchange.kite.delivery import Delivery
from trading.exchange.kite.shapes.orders import order_message
from trading.exchange.venue import Venue
from trading.exchange.venue.desk import Update

logger = logging.getLogger(__name__)

TIMEOUT_S = 5.0
MOST_WAITING = 10_000


class Postbacks:
    """Collects messages while `venue.postback_url` is set; `run` delivers them in order."""

    def __init__(self, venue: Venue, faults: Faults) -> None:
        self._venue = venue
        self._faults = faults
        self._delivery = Delivery(faults)
        self._waiting: asyncio.Queue[dict[str, Any]] = asyncio.Queue(MOST_WAITING)
        self._arriving = Arriving(venue)
        venue.listeners.append(self.on_updates)

    def on_updates(self, updates: Sequence[Update]) -> None:
        """Queue a postback for each update of an order that an app placed."""
        if not self._venue.postback_url:
            return
        for update in updates:
            if not update.order.api_key:
                continue  # placed in the broker's own app
            order = update.order
            target = Target(POSTBACK, "/postback", order.user_id, order.api_key)
            message = self._message(update)
            if self._faults.rules and self._faults.pick(target, only=("forge",)) is not None:
                message["checksum"] = checksum_of(message["order_id"], message["order_timestamp"], "forged")
            queue = partial(self._queue, message)
            self._arriving.send(update, partial(self._delivery.deliver, target, order.user_id, queue))

    def _queue(self, message: dict[str, Any]) -> None:
        if self._waiting.full():
            logger.warning("postbacks wait for a slow receiver; one was lost")
            return
        self._waiting.put_nowait(message)

    def _message(self, update: Update) -> dict[str, Any]:
        app = self._venue.access.app_of(update.order.api_key) or self._venue.users[update.order.user_id]
        message = order_message(update.order, update.word, app, checksum="")
        message["checksum"] = checksum_of(message["order_id"], message["order_timestamp"], app.api_secret)
        return message

    async def run(self) -> None:
        """Deliver for ever; ends by cancellation."""
        async with ClientSession(timeout=ClientTimeout(total=TIMEOUT_S)) as http:
            while True:
                message = await self._waiting.get()
                try:
                    async with http.post(self._venue.postback_url, json=message) as reply:
                        await reply.read()
                except (ClientError, TimeoutError) as error:
                    logger.info("postback order_id=%s was not delivered: %s", message["order_id"], error)


def checksum_of(order_id: str, order_timestamp: str, api_secret: str) -> str:
    """Give the checksum of a postback."""
    return sha256(f"{order_id}{order_timestamp}{api_secret}".encode()).hexdigest()
