"""The Kite face as one thing: the REST application, the ticker application, and what runs behind them."""

from collections.abc import Callable, Mapping, Sequence

from aiohttp import web

from trading.exchange.faults import Faults
from trading.exchange.faults.orders import OrderFaults
from trading.exchange.kite.app import make_kite_app
from trading.exchange.kite.deeds import Deeds
from trading.exchange.kite.feed import Feed
from trading.exchange.kite.postbacks import Postbacks
from trading.exchange.kite.socket import make_ws_app
from trading.exchange.market.quotes import Quote
from trading.exchange.venue import Venue


class KiteFace:
    """Kite Connect over one venue. `monotonic` is wire time in seconds."""

    def __init__(self, venue: Venue, faults: Faults, *, monotonic: Callable[[], float]) -> None:
        self._venue = venue
        self._faults = faults
        self._monotonic = monotonic
        self._feed = Feed(venue, faults)
        self._postbacks = Postbacks(venue, faults)
        venue.hand.script = OrderFaults(faults, venue.now_ms)
        self._deeds = Deeds(faults, venue, self._feed)

    def rest_app(self) -> web.Application:
        """Build the REST application, login page included."""
        return make_kite_app(self._venue, self._faults, monotonic=self._monotonic, do=self._deeds.do)

    def ticker_app(self) -> web.Application:
        """Build the application of the ticker socket."""
        return make_ws_app(self._venue, self._feed, self._faults)

    def send_ticks(self, quotes: Sequence[Quote]) -> None:
        """Send what each connection subscribed of these quotes."""
        self._feed.publish(quotes)

    @property
    def tick_frames(self) -> Mapping[str, int]:
        """Give, by user, the tick frames sent on the present ticker connection."""
        return self._feed.tick_frames

    @property
    def order_frames(self) -> Mapping[str, int]:
        """Give, by user, the order messages sent on the present order connection."""
        return self._feed.order_frames

    def look(self) -> None:
        """Do what faults have to do at this moment of the market."""
        self._deeds.look()

    def close(self) -> None:
        """Close what faults keep on disk."""
        self._faults.journal.close()

    async def run(self) -> None:
        """Deliver postbacks until cancelled. (Heartbeats belong to each socket.)"""
        await self._postbacks.run()
