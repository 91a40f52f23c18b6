"""The ticker's door under faults: an upgrade that is late or refused, a fourth socket that throws the first one out."""

import asyncio

from aiohttp import web

from trading.exchange.faults import Faults
from trading.exchange.faults.places import CONNECT
from trading.exchange.faults.rules import Target
from trading.exchange.kite.feed import Feed
from trading.exchange.venue import Venue


class Door:
    """Asks the rules about one upgrade."""

    def __init__(self, venue: Venue, feed: Feed, faults: Faults) -> None:
        self._venue = venue
        self._feed = feed
        self._faults = faults

    async def refusal(self, request: web.Request, api_key: str) -> web.Response | None:
        """Give the answer instead of an upgrade, None when it may go on, perhaps late."""
        if not self._faults.rules:
            return None
        rule = self._faults.pick(self._target(request, api_key), only=("status", "delay"))
        if rule is None:
            return None
        if rule.action == "delay":
            await asyncio.sleep(rule.seconds)
            return None
        return web.Response(status=rule.status, text=rule.body or rule.message)

    def makes_room(self, request: web.Request, api_key: str) -> bool:
        """Throw the oldest socket of a key out when a rule says so."""
        if self._faults.pick(self._target(request, api_key), only=("evict",)) is None:
            return False
        self._feed.evict_oldest(api_key)
        return True

    def _target(self, request: web.Request, api_key: str) -> Target:
        owner = self._venue.access.app_of(api_key)
        return Target(CONNECT, "/", owner.user_id if owner is not None else "", api_key, request.remote or "")
