"""An exchange at live prices (`run_exchange --live`): paper accounts trade what the ticker hears from a real broker.

Time is not made but followed, and the market is what was heard. Everything behind it is the same: venue, ledger,
Kite face, faults.
"""

import asyncio
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from aiohttp import web

from trading.domain.calendar import MarketCalendar
from trading.domain.timezone import at_ist, ist_day
from trading.exchange.clock import MarketClock, to_ms
from trading.exchange.control import ControlPort
from trading.exchange.control_faults import FaultCalls
from trading.exchange.days import REMEDY, DayChoice
from trading.exchange.kite import KiteFace
from trading.exchange.live_prices import PriceDoor
from trading.exchange.live_time import FeedTime, LiveTime, WallTime, market_day
from trading.exchange.market.calendar_hours import CalendarHours
from trading.exchange.market.live import LiveMarket
from trading.exchange.market.live_rows import RowFile
from trading.exchange.participants import Participants
from trading.exchange.participation import Participation
from trading.exchange.server import Exchange, ExchangeOptions, Moves
from trading.exchange.state import KeptState
from trading.exchange.venue import Venue
from trading.exchange.venue.marketclock import TOKENS_DIE_AT

LOOKS_EVERY_S = 0.25
"""Wire time: how late an order may lapse, or a session be seen to end, while no price comes."""


class LiveExchange(Exchange):
    """`wall` gives real time, aware; None: time is the feeder's (trials with a simulated broker)."""

    is_live = True

    def __init__(
        self,
        options: ExchangeOptions,
        *,
        monotonic: Callable[[], float],
        wall: Callable[[], datetime] | None,
    ) -> None:
        self._wall = wall
        self._time: LiveTime
        super().__init__(options, monotonic=monotonic)

    @property
    def info(self) -> dict[str, Any]:
        """Give the first line of `run_exchange --json`, with the address for prices."""
        info = super().info
        return info | {"live": True, "prices": info["control"].replace("http://", "ws://") + "/prices"}

    def _choose(self, kept: KeptState | None, calendar: MarketCalendar) -> DayChoice:
        wish = self._options.wish
        if kept is not None and not kept.is_live:
            raise ValueError(f"the kept ledger was traded on a generated or replayed day, not live; {REMEDY}")
        if wish.seed is not None or wish.bars is not None:
            raise ValueError("live prices have neither seed nor bars: leave --seed and --bars out")
        if self._wall is not None and wish.day is not None:
            raise ValueError("live prices are of today: leave --day out")
        if (self._options.speed, self._options.expected_roles) != (1, ()):
            raise ValueError("live prices come at speed 1 and wait for nobody: leave --speed and --expect out")
        day = market_day(calendar, wish.day or self._options.today)
        if kept is not None and kept.day > day:
            if self._wall is not None:
                raise ValueError(f"the kept ledger is at {kept.day}, behind it is {day}: set this machine's clock")
            day = kept.day
        self._calendar = calendar
        return DayChoice(day, 0, None, goes_on=kept is not None and kept.day == day)

    def _make_clock(self, kept: KeptState | None, choice: DayChoice, calendar: MarketCalendar) -> MarketClock:
        start_ms, step = to_ms(at_ist(choice.day, TOKENS_DIE_AT)), 0  # so that the first line's tokens live
        if kept is not None and choice.goes_on:
            start_ms, step = max(start_ms, kept.now_ms), kept.step
        self._time = FeedTime(start_ms) if self._wall is None else WallTime(self._wall)
        now_ms = self._time.now_ms()
        return MarketClock(day=choice.day, calendar=calendar, now_ms=now_ms, speed=1, pace="free", step=step)

    def _make_market(self, choice: DayChoice, calendar: MarketCalendar) -> LiveMarket:
        self._rows = RowFile(self._file.folder)
        known = () if self._options.is_fresh else self._rows.read()
        return LiveMarket(choice.day, CalendarHours(calendar), self._now_ms, known, is_fed=lambda: self._door.is_fed)

    def _make_stepper(self, participants: Participants) -> Moves:
        self._door = PriceDoor(lambda: self._market, self._rows, self._time, self._today)
        self.stepper = LiveStepper(LiveVenue(self.clock, self.venue, self._face), self.follow)
        self._door.stir = self.stepper.stir
        return self.stepper

    def _make_control(self, faults: FaultCalls) -> ControlPort:
        return LiveControl(
            self._door,
            exchange_id=self._identity,
            clock=self.clock,
            venue=self.venue,
            faults=faults,
            participation=Nobody(self._identity, self.clock, Participants(), monotonic=self._monotonic),
            stir=self._stepper.stir,
        )

    def _now_ms(self) -> int:
        return max(self._time.now_ms(), self.clock.now_ms)

    def _today(self) -> date:
        """Give today's date; a day that has only just begun is rolled to first."""
        self.follow()
        return ist_day(self.clock.now)

    def follow(self) -> LiveMarket:
        """Bring the clock to the present, on disk before anybody sees it, and roll to a new day."""
        now_ms, clock = self._now_ms(), self.clock
        if now_ms > clock.now_ms:
            clock.move_to(now_ms)
        day = market_day(self._calendar, ist_day(clock.now))
        if day > clock.day:
            clock.day, self._market = day, self._market.on(day)
            self.venue.begin_day(self._market)
        self._keep()
        return self._market  # type: ignore[no-any-return]

    def _keep(self) -> None:
        if self._runners:  # not before the file was made
            super()._keep()


class LiveVenue:
    """Market, venue and sockets at live prices: what is too old goes out but matches nothing."""

    def __init__(self, clock: MarketClock, venue: Venue, face: KiteFace) -> None:
        self._clock = clock
        self._venue = venue
        self._face = face
        self._ended = clock.day if clock.is_finished else None

    def advance(self, market: LiveMarket) -> None:
        """Send what arrived, match resting orders at what is fresh, and end a day that is over."""
        quotes = market.advance(self._clock.now_ms)
        if quotes:
            self._face.send_ticks(quotes)
        self._venue.on_quotes([quote for quote in quotes if market.is_fresh(quote)])
        self._face.look()
        if self._clock.is_finished and self._ended != self._clock.day:
            self._ended = self._clock.day
            self._venue.end_of_day()
        while self._venue.has_pending():
            self._venue.match_pending()


class LiveStepper:
    """Follows the present: at every arrival, at every order, and a few times a second when nothing happens."""

    def __init__(self, venue: LiveVenue, follow: Callable[[], LiveMarket]) -> None:
        self._venue = venue
        self._follow = follow
        self._stirred = asyncio.Event()
        self.looks = 0
        """How often it has looked, for who waits until it has."""

    def stir(self) -> None:
        """Something changed: look again."""
        self._stirred.set()

    async def run(self) -> None:
        """Follow until cancelled."""
        while True:
            self._stirred.clear()
            self._venue.advance(self._follow())
            self.looks += 1
            try:
                async with asyncio.timeout(LOOKS_EVERY_S):
                    await self._stirred.wait()
            except TimeoutError:
                continue


class LiveControl(ControlPort):
    """The control port with the way in for prices, and without power over the time."""

    def __init__(self, door: PriceDoor, **parts: Any) -> None:
        super().__init__(**parts)
        self._door = door

    def app(self) -> web.Application:
        """Build the aiohttp application."""
        app = super().app()
        app.router.add_get("/prices", self._door.serve)
        return app

    def clock_status(self) -> dict[str, Any]:
        """Give the clock's answer, and how the feed stands."""
        return super().clock_status() | {"live": True, "feed": self._door.report()}

    def _obey(self, clock: MarketClock, body: dict[str, Any]) -> None:
        raise ValueError("an exchange at live prices follows real time: its clock takes no orders")


class Nobody(Participation):
    """Nobody takes part in the steps of a market that does not wait."""

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Refuse. Raises ValueError always."""
        raise ValueError("an exchange at live prices waits for nobody: there is nothing to take part in")
