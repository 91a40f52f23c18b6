"""A running exchange: one market day, its venue, the Kite face, the clock and the control port, in one event loop."""

import asyncio
import logging
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from aiohttp import web

from trading.domain.calendar import MarketCalendar
from trading.domain.instruments import Instrument
from trading.domain.timezone import at_ist
from trading.exchange.clock import MarketClock, to_ms
from trading.exchange.control import ControlPort
from trading.exchange.faults import Faults
from trading.exchange.kite import KiteFace
from trading.exchange.market import Market, folder_days, make_market
from trading.exchange.market.calendar_hours import CalendarHours
from trading.exchange.participants import Participants
from trading.exchange.state import DayChoice, DayWish, KeptState, StateFile, choose_day, new_exchange_id
from trading.exchange.stepper import Stepper
from trading.exchange.venue import Venue

logger = logging.getLogger(__name__)

DEFAULT_SEED = 810
HOST = "127.0.0.1"
SAVE_EVERY_S = 0.25


@dataclass(frozen=True, slots=True)
class ExchangeOptions:
    """What a start asks for. `today` is the wall's date; ports 0 are chosen, or kept from the last start."""

    state_dir: Path
    today: date
    wish: DayWish
    speed: int = 1
    pace: str = "hold"
    is_fresh: bool = False
    start_at: time = time(9, 15)
    expected_roles: tuple[str, ...] = ()
    ports: tuple[int, int, int] = (0, 0, 0)
    redirect_url: str = ""
    postback_url: str = ""


class JoinedVenue:
    """Market, venue and sockets as the one thing that the stepper moves."""

    def __init__(self, market: Market, venue: Venue, face: KiteFace) -> None:
        self._market = market
        self._venue = venue
        self._face = face

    def step_times(self) -> Sequence[int]:
        """Give every moment at which something happens."""
        return self._market.step_times

    def advance(self, to_ms: int) -> None:
        """Move prices, send ticks, match resting orders."""
        quotes = self._market.advance(to_ms)
        self._face.send_ticks(quotes)
        self._venue.on_quotes(quotes)

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


class Exchange:
    """Build with options, `await start()`, read `info`, `await stop()`.

    Raises ValueError for bad options, with what would be right; nothing has been started then.
    """

    def __init__(self, options: ExchangeOptions, *, monotonic: Callable[[], float]) -> None:
        self._options = options
        self._monotonic = monotonic
        self._file = StateFile(options.state_dir / "exchange")
        if options.is_fresh:
            self._file.erase()
        kept = self._file.read()
        calendar = MarketCalendar.load()
        self._choice = _chosen(kept, options, calendar)
        self._market = make_market(self._choice.day, self._choice.seed, self._choice.bars, CalendarHours(calendar))
        self._identity = kept.exchange_id if kept else new_exchange_id()
        self._kept_ports = kept.ports if kept else (0, 0, 0)
        self.clock = self._make_clock(kept, calendar)
        self._participants = Participants()
        self.venue = self._make_venue(calendar)
        self._faults = Faults()
        self._face = KiteFace(self.venue, self._faults, monotonic=monotonic)
        self._control = ControlPort(
            exchange_id=self._identity,
            clock=self.clock,
            venue=self.venue,
            faults=self._faults,
            participants=self._participants,
            monotonic=monotonic,
        )
        self._runners: list[web.AppRunner] = []
        self._tasks: list[asyncio.Task[None]] = []
        self.ports: tuple[int, int, int] = (0, 0, 0)

    def _make_clock(self, kept: KeptState | None, calendar: MarketCalendar) -> MarketClock:
        day = self._choice.day
        goes_on = kept is not None and self._choice.goes_on
        start_ms = to_ms(at_ist(day, self._options.start_at))
        clock = MarketClock(
            day=day,
            calendar=calendar,
            now_ms=kept.now_ms if kept and goes_on else start_ms,
            speed=1,
            pace="hold",
            step=kept.step if kept and goes_on else 0,
        )
        clock.set_speed(self._options.speed)
        clock.set_pace(self._options.pace)
        return clock

    def _make_venue(self, calendar: MarketCalendar) -> Venue:
        def is_continuous(instrument: Instrument, moment: datetime) -> bool:
            return calendar.entries_allowed(moment, instrument.instrument_class)

        venue = Venue(
            exchange_id=self._identity,
            market=self._market,
            hours=is_continuous,
            now_ms=lambda: self.clock.now_ms,
            monotonic=self._monotonic,
            state_dir=self._file.folder,
        )
        if self._options.redirect_url:
            venue.redirect_url = self._options.redirect_url
        venue.postback_url = self._options.postback_url
        return venue

    async def start(self) -> None:
        """Open the three ports and let the market begin."""
        joined = JoinedVenue(self._market, self.venue, self._face)
        self._market.advance(self.clock.now_ms)
        stepper = Stepper(
            self.clock,
            joined,
            self._participants,
            monotonic=self._monotonic,
            tell=self._control.tell,
            expected_roles=self._options.expected_roles,
        )
        self._control.stepper = stepper
        self.venue.wake = stepper.stir
        apps = (self._face.rest_app(), self._face.ticker_app(), self._control.app())
        wished = zip(apps, self._options.ports, self._kept_ports, strict=True)
        rest, ticker, control = [await self._serve(app, wish, kept) for app, wish, kept in wished]
        self.ports = (rest, ticker, control)
        self._save()
        self._tasks = [
            asyncio.create_task(stepper.run(), name="stepper"),
            asyncio.create_task(self._keep_saving(), name="clock-file"),
            asyncio.create_task(self._face.run(), name="kite-face"),
        ]
        for task in self._tasks:
            task.add_done_callback(_say_why)

    async def wait(self) -> None:
        """Return when a part of the exchange broke; its error is raised."""
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()

    async def stop(self) -> None:
        """Close ports and files; the clock stands where it is, on disk too."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for runner in self._runners:
            await runner.cleanup()
        self._save()
        self.venue.close()

    @property
    def info(self) -> dict[str, Any]:
        """Give the first line of `run_exchange --json`; the tokens in it are valid."""
        rest, ticker, control = self.ports
        users = [
            {
                "user_id": user.user_id,
                "api_key": user.api_key,
                "api_secret": user.api_secret,
                "access_token": self.venue.issue_token(user.user_id),
            }
            for user in self.venue.users.values()
        ]
        return {
            "rest": f"http://{HOST}:{rest}",
            "ws": f"ws://{HOST}:{ticker}",
            "users": users,
            "login": f"http://{HOST}:{rest}/connect/login",
            "control": f"http://{HOST}:{control}",
            "exchange_id": self._identity,
            "day": self.clock.day.isoformat(),
        }

    async def _serve(self, app: web.Application, wished: int, kept: int) -> int:
        # access_log=None: request lines carry access tokens (the ticker's query, logout)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        self._runners.append(runner)
        site = web.SockSite(runner, _bound(wished, kept))
        await site.start()
        port: int = runner.addresses[-1][1]
        return port

    async def _keep_saving(self) -> None:
        while True:
            await asyncio.sleep(SAVE_EVERY_S)
            self._save()

    def _save(self) -> None:
        if self.clock.is_finished:
            self.venue.end_of_day()
        self._file.write(
            KeptState(
                exchange_id=self._identity,
                day=self.clock.day.isoformat(),
                seed=self._choice.seed,
                bars=str(self._choice.bars or ""),
                now_ms=self.clock.now_ms,
                step=self.clock.step,
                is_finished=self.clock.is_finished,
                ports=self.ports,
            )
        )


def _bound(wished: int, kept: int) -> socket.socket:
    """Bind the wished port; without a wish the kept one if it is free, else any."""
    for port in (wished,) if wished else (kept, 0):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError as error:
            listener.close()
            if wished:
                raise ValueError(f"port {wished} is taken ({error}); choose another one") from error
            continue
        return listener
    raise ValueError("no free port on this machine")


def _chosen(kept: KeptState | None, options: ExchangeOptions, calendar: MarketCalendar) -> DayChoice:
    def first_day(bars: Path | None) -> date:
        if bars is not None:
            return folder_days(bars, CalendarHours(calendar))[0]
        return next_known_day(calendar, options.today)

    def day_after(bars: Path | None, day: date) -> date:
        if bars is None:
            return calendar.next_trading_day(day)
        later = [each for each in folder_days(bars, CalendarHours(calendar)) if each > day]
        if not later:
            raise ValueError(f"{day} is the last day in {bars}; start with --fresh to begin anew")
        return later[0]

    choice = choose_day(kept, options.wish, first_day=first_day, day_after=day_after, default_seed=DEFAULT_SEED)
    if not calendar.is_trading_day(choice.day):
        raise ValueError(f"day must be a trading day: {calendar.day_kind(choice.day).reason}")
    return choice


def next_known_day(calendar: MarketCalendar, today: date) -> date:
    """Give the next trading day, or the calendar's last one where its years end."""
    if today < calendar.last_known_day:
        try:
            return calendar.next_trading_day(today)
        except ValueError:
            return calendar.previous_trading_day(calendar.last_known_day)
    return calendar.previous_trading_day(calendar.last_known_day)


def _say_why(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        logger.error("the exchange's %s broke", task.get_name(), exc_info=error)
