"""Market, venue and sockets as the one thing that the stepper moves."""

from collections.abc import Mapping, Sequence

from trading.exchange.clock import MarketClock
from trading.exchange.kite import KiteFace
from trading.exchange.market import Market
from trading.exchange.venue import Venue


class JoinedVenue:
    """Implements `stepper.SteppedVenue`."""

    def __init__(self, clock: MarketClock, market: Market, venue: Venue, face: KiteFace) -> None:
        self._clock = clock
        self._market = market
        self._venue = venue
        self._face = face
        self._times = sorted({*market.step_times, *venue.session_moments()})

    def step_times(self) -> Sequence[int]:
        """Give every moment at which something happens: a trade, a session's change, the broker's square-off."""
        return self._times

    def advance(self, to_ms: int) -> None:
        """Move prices, send ticks, match resting orders; in the day's last step let every live order lapse."""
        for token in self._venue.waited_for():
            self._market.watch(token)
        quotes = self._market.advance(to_ms)
        self._face.send_ticks(quotes)
        self._venue.on_quotes(quotes)
        self._face.look()  # what faults do at this moment, at its prices
        if self._clock.is_finished:
            self._venue.end_of_day()

    def in_flight_s(self) -> float:
        """Give the wire seconds until what is on its way to clients has arrived."""
        return self._venue.transit.left_s()

    def has_pending(self) -> bool:
        """Say whether an order, change or cancel waits to be matched."""
        return self._venue.has_pending()

    def match_pending(self) -> None:
        """Match them."""
        self._venue.match_pending()

    def frames(self) -> Mapping[str, int]:
        """Give tick frames sent on each user's present ticker connection."""
        return self._face.tick_frames

    def updates(self) -> Mapping[str, int]:
        """Give order messages sent on each user's present order connection."""
        return self._face.order_frames
