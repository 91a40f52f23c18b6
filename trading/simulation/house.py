"""The broker house of a simulated day: the exchange's venue, its fault rules and its sockets, without a network."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from trading.domain.calendar import MarketCalendar
from trading.exchange.bent_market import BentMarket
from trading.exchange.faults import Faults
from trading.exchange.faults.orders import OrderFaults
from trading.exchange.kite.deeds import Deeds
from trading.exchange.kite.feed import Feed
from trading.exchange.kite.limits import RateLimits
from trading.exchange.venue import Venue
from trading.exchange.venue.desk import Update
from trading.exchange.venue.sessions import Sessions
from trading.simulation.market import DayMarket
from trading.simulation.virtual_time import SimClock


class BrokerHouse:
    """Orders are matched in the loop's next turn. `on_order` hears each update before the clients do."""

    def __init__(self, market: DayMarket, clock: SimClock, calendar: MarketCalendar, seed: int) -> None:
        self.clock = clock
        self.on_order: list[Callable[[Sequence[Update]], None]] = []
        self._is_stirred = False

        def now_ms() -> int:
            return clock.now_ms

        self.faults = Faults(seed, now_ms=now_ms, monotonic=clock.monotonic)
        self._bent = BentMarket(market, self.faults)
        bent: Any = self._bent
        self.venue = Venue(
            exchange_id="simulated-day",
            market=bent,
            hours=Sessions(calendar, seed),
            now_ms=now_ms,
            monotonic=clock.monotonic,
        )
        self.venue.wake = self._stir
        self.venue.hand.script = OrderFaults(self.faults, now_ms)
        self.venue.listeners.append(self._tell)
        self.feed = Feed(self.venue, self.faults)
        self.deeds = Deeds(self.faults, self.venue, self.feed)
        self.limits = RateLimits(clock.monotonic, self.venue.day_counts)

    def move(self) -> None:
        """Let trade what is staged, match what rests against it, and tell the ticker's readers."""
        quotes = self._bent.advance()
        self.deeds.look()
        self.venue.on_quotes(quotes)
        self.feed.publish(quotes)

    def _stir(self) -> None:
        if not self._is_stirred:
            self._is_stirred = True
            asyncio.get_running_loop().call_soon(self._match)

    def _match(self) -> None:
        self._is_stirred = False
        if self.venue.has_pending():
            self.venue.match_pending()

    def _tell(self, updates: Sequence[Update]) -> None:
        for hear in self.on_order:
            hear(updates)
