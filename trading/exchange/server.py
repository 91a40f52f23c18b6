"""A running exchange: one market day, its venue, the Kite face, the clock and the control port, in one event loop."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path
from socket import socket
from typing import Any, Protocol

from aiohttp import web

from trading.domain.calendar import MarketCalendar
from trading.domain.timezone import at_ist
from trading.exchange.bent_market import BentMarket
from trading.exchange.clock import MarketClock, to_ms
from trading.exchange.control import ControlPort
from trading.exchange.control_faults import FaultCalls
from trading.exchange.days import DayChoice, DayWish, choose_day
from trading.exchange.faults import Faults
from trading.exchange.faults.journal import FILE_NAME as JOURNAL_FILE
from trading.exchange.faults.journal import Journal
from trading.exchange.impostor import Impostor
from trading.exchange.joined import JoinedVenue
from trading.exchange.kite import KiteFace
from trading.exchange.listening import HOST, listen, serve
from trading.exchange.market import make_market
from trading.exchange.market.calendar_hours import CalendarHours
from trading.exchange.participants import Participants
from trading.exchange.participation import Participation
from trading.exchange.state import KeptState, StateFile, new_exchange_id
from trading.exchange.stepper import Stepper
from trading.exchange.venue import Venue
from trading.exchange.venue.sessions import Sessions

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ExchangeOptions:
    """What a start asks for. `today` is the wall's date; ports 0 are chosen, or kept from the last start.

    `more_accounts` are free ones beside the demo ones; an account that once was stays.
    """

    state_dir: Path
    today: date
    wish: DayWish
    speed: int = 1
    pace: str = "hold"
    is_fresh: bool = False
    start_at: time = time(9, 15)
    expected_roles: tuple[str, ...] = ()
    ports: tuple[int, int, int] = (0, 0, 0)
    more_accounts: int = 0
    redirect_url: str = ""
    postback_url: str = ""


class Moves(Protocol):
    """What moves the market of a running exchange."""

    def stir(self) -> None: ...
    async def run(self) -> None: ...


class Exchange:
    """Build with options, `await start()`, read `info`, `await stop()`.

    Raises ValueError for bad options, with what would be right; nothing has been started or erased then.
    """

    is_live = False

    def __init__(self, options: ExchangeOptions, *, monotonic: Callable[[], float]) -> None:
        self._options = options
        self._monotonic = monotonic
        self._file = StateFile(options.state_dir / "exchange")
        self._listeners: list[socket] = []
        self._runners: list[web.AppRunner] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._file.claim()
        try:
            self._build(MarketCalendar.load())
        except BaseException:
            for listener in self._listeners:
                listener.close()
            self._file.release()
            raise

    def _build(self, calendar: MarketCalendar) -> None:
        """Make everything; what can be refused comes before `--fresh` erases anything."""
        options = self._options
        kept = None if options.is_fresh else self._file.read()
        choice = self._choice = self._choose(kept, calendar)
        self.clock = self._make_clock(kept, choice, calendar)
        self._market = self._make_market(choice, calendar)
        for wished, before in zip(options.ports, kept.ports if kept else (0, 0, 0), strict=True):
            self._listeners.append(listen(wished, before))
        rest, ticker, control = (int(listener.getsockname()[1]) for listener in self._listeners)
        self.ports: tuple[int, int, int] = (rest, ticker, control)
        if options.is_fresh:
            self._file.erase()
        self._identity = kept.exchange_id if kept else new_exchange_id()
        faults = Faults(
            choice.seed,
            now_ms=self._now_ms,
            monotonic=self._monotonic,
            journal=Journal(self._file.folder / JOURNAL_FILE),
        )
        self._market = BentMarket(self._market, faults)
        self.venue = self._make_venue(calendar)
        participants = Participants()
        self._face = KiteFace(self.venue, faults, monotonic=self._monotonic)
        self._impostor = Impostor(faults, self._face)
        self._stepper: Moves = self._make_stepper(participants)
        self.venue.wake = self._stepper.stir
        self._control = self._make_control(FaultCalls(faults, self.venue, self._face.look, self._impostor))

    def _choose(self, kept: KeptState | None, calendar: MarketCalendar) -> DayChoice:
        return choose_day(kept, self._options.wish, calendar=calendar, today=self._options.today)

    def _make_market(self, choice: DayChoice, calendar: MarketCalendar) -> Any:
        return make_market(choice.day, choice.seed, choice.bars, CalendarHours(calendar))

    def _make_stepper(self, participants: Participants) -> Moves:
        self._participation = Participation(self._identity, self.clock, participants, monotonic=self._monotonic)
        stepper = self._participation.stepper = Stepper(
            self.clock,
            JoinedVenue(self.clock, self._market, self.venue, self._face),
            participants,
            monotonic=self._monotonic,
            keep=self._keep,
            tell=self._participation.tell,
            expected_roles=self._options.expected_roles,
        )
        return stepper

    def _make_control(self, faults: FaultCalls) -> ControlPort:
        return ControlPort(
            exchange_id=self._identity,
            clock=self.clock,
            venue=self.venue,
            faults=faults,
            participation=self._participation,
            stir=self._stepper.stir,
        )

    def _now_ms(self) -> int:
        """Give market time."""
        return self.clock.now_ms

    def _keep(self) -> None:
        """Write the clock to disk."""
        self._file.overwrite(self._state())

    def _make_clock(self, kept: KeptState | None, choice: DayChoice, calendar: MarketCalendar) -> MarketClock:
        start_ms, step = to_ms(at_ist(choice.day, self._options.start_at)), 0
        if kept is not None and choice.goes_on:
            start_ms, step = kept.now_ms, kept.step
        clock = MarketClock(day=choice.day, calendar=calendar, now_ms=start_ms, speed=1, pace="hold", step=step)
        clock.set_speed(self._options.speed)
        clock.set_pace(self._options.pace)
        return clock

    def _make_venue(self, calendar: MarketCalendar) -> Venue:
        venue = Venue(
            exchange_id=self._identity,
            market=self._market,
            hours=Sessions(calendar, self._choice.seed),
            now_ms=self._now_ms,
            monotonic=self._monotonic,
            state_dir=self._file.folder,
            more_accounts=self._options.more_accounts,
        )
        if self._options.redirect_url:
            venue.redirect_url = self._options.redirect_url
        venue.postback_url = self._options.postback_url
        return venue

    async def start(self) -> None:
        """Open the three ports and let the market begin."""
        self.venue.writing.later = asyncio.get_running_loop().call_soon
        self._market.advance(self.clock.now_ms)
        self._file.write(self._state())
        apps = (self._face.rest_app(), self._face.ticker_app(), self._control.app())
        for app, listener in zip(apps, self._listeners, strict=True):
            self._runners.append(await serve(app, listener))
        self._tasks = [
            asyncio.create_task(self._stepper.run(), name="stepper"),
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
        await self._impostor.stop()
        for runner in self._runners:
            await runner.cleanup()
        self._file.write(self._state())
        self.venue.close()
        self._face.close()
        self._file.release()

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

    def _state(self) -> KeptState:
        return KeptState(
            exchange_id=self._identity,
            day=self.clock.day,
            seed=self._choice.seed,
            bars=str(self._choice.bars or ""),
            now_ms=self.clock.now_ms,
            step=self.clock.step,
            is_finished=self.clock.is_finished,
            ports=self.ports,
            is_live=self.is_live,
        )


def _say_why(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        logger.error("the exchange's %s broke", task.get_name(), exc_info=error)
