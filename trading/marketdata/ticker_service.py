"""The ticker process without its broker: one account's market data in, batches in Redis out.

It waits politely for a login, follows new logins and changed watchlists, and takes part in a simulated
market's steps: a step's ticks are published before it is answered.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from redis.exceptions import RedisError

from trading.domain.errors import BrokerAuthError
from trading.domain.ticks import Tick
from trading.marketdata.bus import TickWriter
from trading.marketdata.outbox import GATHER_IN_STEPS_S, GATHER_S, TickOutbox
from trading.marketdata.quotes import EVERY_S, QuoteBoard
from trading.marketdata.status import FeedState, FeedStatus
from trading.ports import Clock, MarketHold, MarketRound

logger = logging.getLogger(__name__)

LOOK_FOR_LOGIN_S = 1.0
READY_WITHIN_S = 4.0
"""How long a simulated step waits for the socket: below the 5 s after which the market goes on without us."""
SETTLE_WITHIN_S = 0.5
"""The same for frames counted on another connection than the one we had: that count may mean the old one."""


@dataclass(frozen=True, slots=True)
class FeedLogin:
    """The feed account's session and what to subscribe: token to `NSE:INFY`. `account` is its stable key."""

    account: str
    user_id: str
    api_key: str = field(repr=False)
    access_token: str = field(repr=False)
    ws_root: str
    instruments: Mapping[int, str]

    def is_same_session(self, other: "FeedLogin | None") -> bool:
        """Say whether only the instruments may differ."""
        return other is not None and (self.api_key, self.access_token, self.ws_root) == (
            other.api_key,
            other.access_token,
            other.ws_root,
        )


class TickSource(Protocol):
    """One broker account's market data (brokers/kite/ticker.py)."""

    @property
    def frames(self) -> int:
        """Count the tick frames of the present connection."""

    @property
    def connection(self) -> int:
        """Count the connections made."""

    @property
    def is_connected(self) -> bool: ...
    @property
    def is_ready(self) -> bool:
        """True when connected and the first prices were heard, if anything was asked for."""

    @property
    def moved(self) -> asyncio.Event:
        """Set at every frame, connection and loss; the waiter clears it."""

    def want(self, tokens: Iterable[int]) -> None: ...
    async def run(self) -> None:
        """Stay connected until cancelled. Raises BrokerAuthError when the login is refused."""


FindLogin = Callable[[], Awaitable[FeedLogin | None]]
MakeSource = Callable[[FeedLogin, Callable[[Sequence[Tick]], None]], TickSource]


class TickerService:
    """Run once; ends when cancelled. `market` is None where nobody waits for us (live)."""

    def __init__(
        self,
        *,
        find_login: FindLogin,
        make_source: MakeSource,
        writer: TickWriter,
        board: QuoteBoard,
        clock: Clock,
        market: MarketHold | None = None,
    ) -> None:
        self._find_login = find_login
        self._make_source = make_source
        self._writer = writer
        self._board = board
        self._clock = clock
        self._market = market
        gather_s = GATHER_S if market is None else GATHER_IN_STEPS_S
        self._outbox = TickOutbox(writer, clock, self.status, gather_s=gather_s)
        self._login: FeedLogin | None = None
        self._source: TickSource | None = None
        self._running: asyncio.Task[None] | None = None
        self._refused = ""
        self._newest_ts = 0
        self._looking = asyncio.Lock()
        self._is_patient = True
        self._answered_on = 0

    async def run(self) -> None:
        """Work until cancelled; then say that the feed stopped."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._outbox.run(), name="outbox")
                tasks.create_task(self._follow_logins(), name="logins")
                tasks.create_task(self._send_quotes(), name="quotes")
                if self._market is not None:
                    tasks.create_task(self._answer_rounds(self._market), name="rounds")
        finally:
            await self._leave()
            with contextlib.suppress(RedisError, OSError, TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._writer.tell(self.status(FeedState.STOPPED))

    def status(self, state: FeedState | None = None) -> FeedStatus:
        """Say how the feed stands now."""
        login, source = self._login, self._source
        state = state or _state_of(login, source)
        return FeedStatus(
            state=state,
            account=login.account if login is not None else "",
            at_ms=self._newest_ts * 1000 or None,
            instruments=len(login.instruments) if login is not None else 0,
            connections=source.connection if source is not None else 0,
            sentence=SENTENCES[state],
        )

    # -- logins --------------------------------------------------------------------------------------

    async def _follow_logins(self) -> None:
        was: FeedState | None = None
        while True:
            try:
                await self.look()
                status = self.status()
                if status.state is not was:
                    logger.info("feed: %s", status.sentence)
                was = status.state
                await self._writer.tell(status)
            except (RedisError, OSError):
                logger.debug("the feed's status waits for Redis")
            except Exception:
                logger.exception("looking for the feed account's login failed")
            await self._clock.sleep(LOOK_FOR_LOGIN_S)

    async def look(self) -> None:
        """Ask for the login once and follow what changed: another session, other instruments, or none."""
        async with self._looking:
            login = await self._find_login()
            if login is not None and login.access_token == self._refused:
                login = None
            if login is None:
                await self._leave()
            elif login.is_same_session(self._login) and self._is_running():
                self._follow(login)
            else:
                await self._leave()
                self._join(login)

    def _is_running(self) -> bool:
        return self._running is not None and not self._running.done()

    def _join(self, login: FeedLogin) -> None:
        self._source = self._make_source(login, self._take)
        self._follow(login)
        self._is_patient = True
        self._running = asyncio.create_task(self._stay(self._source, login), name="source")

    def _follow(self, login: FeedLogin) -> None:
        self._login = login
        self._board.rename(login.instruments)
        if self._source is not None:
            self._source.want(login.instruments)

    async def _leave(self) -> None:
        running, self._running = self._running, None
        if running is not None:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        self._login = self._source = None

    async def _stay(self, source: TickSource, login: FeedLogin) -> None:
        try:
            await source.run()
        except BrokerAuthError:
            self._refused = login.access_token
            logger.warning("account=%s the broker refused the feed's login; a person must sign in", login.account)
        except Exception:
            logger.exception("account=%s the feed broke off", login.account)
        source.moved.set()

    # -- ticks ---------------------------------------------------------------------------------------

    def _take(self, ticks: Sequence[Tick]) -> None:
        self._newest_ts = max(self._newest_ts, max(tick.exchange_ts for tick in ticks))
        self._outbox.put(ticks)
        self._board.take(ticks)

    async def _send_quotes(self) -> None:
        while True:
            await self._clock.sleep(EVERY_S)
            self._board.send()

    # -- the simulated market's steps ----------------------------------------------------------------

    async def _answer_rounds(self, market: MarketHold) -> None:
        """Answer each step once: its later rounds bring no ticks."""
        async for round_ in market.rounds():
            if round_.round != 1:
                continue
            try:
                await self._catch_up(round_)
            except Exception:
                logger.exception("step %d: not all ticks could be gathered", round_.step)
            await self._outbox.flush(step=round_.step)
            await market.answer(round_, next_due=None)

    async def _catch_up(self, round_: MarketRound) -> None:
        """Return when every frame that the exchange had sent by this round was received."""
        if not self._is_running():
            await self.look()
        source, login = self._source, self._login
        if source is None or login is None or not round_.waits:
            return
        if not await self._is_up(source):
            return
        wanted, connection = round_.frames.get(login.user_id, 0), source.connection
        patience = READY_WITHIN_S if connection == self._answered_on else SETTLE_WITHIN_S
        self._answered_on = connection
        await self._until(
            source,
            lambda: source.frames >= wanted or source.connection != connection or not source.is_connected,
            patience,
        )

    async def _is_up(self, source: TickSource) -> bool:
        """Wait for the socket and its first ticks, once an outage; then the market goes on without them."""
        if not source.is_ready and self._is_patient:
            self._is_patient = await self._until(
                source, lambda: source.is_ready or not self._is_running(), READY_WITHIN_S
            )
        elif source.is_ready:
            self._is_patient = True
        return source.is_connected

    async def _until(self, source: TickSource, is_done: Callable[[], bool], patience_s: float) -> bool:
        """Wait for a condition on the source; False when the patience (wire seconds) ran out."""
        ends_at = self._clock.monotonic() + patience_s
        while not is_done():
            left = ends_at - self._clock.monotonic()
            if left <= 0:
                return False
            source.moved.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(source.moved.wait(), timeout=left)
        return True


SENTENCES = {
    FeedState.WAITING_FOR_LOGIN: "waiting for the feed account's login",
    FeedState.CONNECTING: "connecting to the broker's feed",
    FeedState.CONNECTED: "connected to the broker's feed",
    FeedState.STOPPED: "the ticker is not running",
}


def _state_of(login: FeedLogin | None, source: TickSource | None) -> FeedState:
    if login is None or source is None:
        return FeedState.WAITING_FOR_LOGIN
    return FeedState.CONNECTED if source.is_connected else FeedState.CONNECTING
