"""The one place that knows which class serves which account, and which clock and Redis a process uses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import redis
from django.conf import settings
from django.db import connection
from redis.backoff import NoBackoff
from redis.retry import Retry

from trading.clock.http import ControlClock
from trading.clock.live import LiveClock
from trading.domain.ticks import Tick
from trading.engine import EngineDeps, run_engine
from trading.marketdata.bus import TickStream, connect
from trading.marketdata.live import RedisLivePublisher, SyncLivePublisher
from trading.marketdata.master import Parse
from trading.marketdata.paper_feed import PaperFeed
from trading.marketdata.ticker_service import FeedLogin, TickSource
from trading.models import BrokerAccount
from trading.ports import AccountRef, AlarmPost, Broker, BrokerSession, Clock, MarketHold, PriceHistory
from trading.services import venues
from trading.services.egress import egress_problem
from trading.stores.account_locks import FileAccountLocks
from trading.stores.calendar import market_calendar
from trading.stores.engine import DjangoEngineStore
from trading.stores.exit_journal import FileExitJournal
from trading.stores.kill_files import DiskKillFiles
from trading.stores.leases import DjangoLeaseStore
from trading.stores.pulse import FilePulse
from trading.stores.thread import DatabaseThread

if TYPE_CHECKING:  # the SDK behind it installs a reactor; only who trades pays for that
    from trading.brokers.kite.client import KiteBroker
    from trading.brokers.kite.prices import KitePrices

REDIS_ANSWERS_WITHIN_S = 0.5
CREDENTIALS_WITHIN_S = 5.0


@lru_cache(maxsize=2)
def _clock(control_url: str) -> LiveClock:
    return ControlClock(control_url) if control_url else LiveClock()


def clock() -> LiveClock:
    """Give the clock of a synchronous process (page, task, command): the exchange's market time in the demo."""
    return _clock(settings.ALGO_CONTROL_URL)


@lru_cache(maxsize=2)
def _redis(url: str) -> redis.Redis[bytes]:
    # One retry at once, for a pooled connection that a restart has cut; the default holds a page for seconds.
    return redis.Redis.from_url(
        url,
        socket_timeout=REDIS_ANSWERS_WITHIN_S,
        socket_connect_timeout=REDIS_ANSWERS_WITHIN_S,
        retry=Retry(NoBackoff(), 1),
    )


def redis_client() -> redis.Redis[bytes]:
    """Give this process's Redis, for what may be missing: every caller must bear redis.RedisError."""
    return _redis(settings.REDIS_URL)


def kite_session(account: BrokerAccount) -> BrokerSession:
    """Give the sign-in half of Kite's API for one account's keys. Its calls block."""
    from trading.brokers.kite.session import KiteLogin  # the SDK installs a reactor; only who signs in pays for that

    place = venues.place_of(account)
    return KiteLogin(
        api_key=account.api_key.reveal(),
        api_secret=account.api_secret.reveal(),
        root=place.rest,
        login_uri=place.login,
    )


def tick_source(
    login: FeedLogin, on_ticks: Callable[[Sequence[Tick]], None], clock: Clock, *, paper: PaperFeed | None = None
) -> TickSource:
    """Give the market data of the feed account. Only `run_ticker` may use it, on the loop of `run_on_ticker_loop`.

    A paper exchange gets the packets as they came, after the ticks.
    """
    from trading.brokers.kite.sockets import SocketLogin
    from trading.brokers.kite.ticker import KiteTickSource

    access = SocketLogin(login.account, login.api_key, login.access_token, login.ws_root)
    return KiteTickSource(access, clock, on_ticks=on_ticks, on_packets=None if paper is None else paper.put)


def run_on_ticker_loop(main: Coroutine[Any, Any, None]) -> None:
    """Run the ticker's main coroutine on the loop that kiteconnect's reactor shares. Once a process."""
    from trading.brokers.kite.reactor import run_with_reactor

    run_with_reactor(main)


def broker_of(account: BrokerAccount, *, wire_clock: Clock | None = None) -> KiteBroker:
    """Give the broker adapter of one account with its present session. Only inside a running loop; close it.

    Raises ConfigurationError for an account that may not trade in this installation (see `venues`).
    """
    from trading.brokers.kite.client import KiteBroker as Adapter

    place = venues.trading_place_of(account)
    return Adapter(
        account=account.key,
        api_key=account.api_key.reveal(),
        access_token=account.access_token.reveal(),
        root=place.rest,
        ws_root=place.ws,
        clock=wire_clock or LiveClock(),
        egress_ip=account.egress_ip,
    )


def prices_of(account: BrokerAccount, *, wire_clock: Clock | None = None) -> KitePrices:
    """Give the half of an account that reads prices and cannot trade. Only inside a running loop; close it."""
    from trading.brokers.kite.prices import KitePrices as Prices

    return Prices(
        account=account.key,
        api_key=account.api_key.reveal(),
        access_token=account.access_token.reveal(),
        root=venues.place_of(account).rest,
        clock=wire_clock or LiveClock(),
        egress_ip=account.egress_ip,
    )


class EngineBrokers:
    """Makes the engine's adapters, each with the session that was learned last. Sessions stay in memory."""

    def __init__(self, clock: Clock, thread: DatabaseThread) -> None:
        self._clock = clock
        self._thread = thread
        self._accounts: dict[int, BrokerAccount] = {}
        self._reader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="broker credentials")

    async def learn(self, accounts: Sequence[AccountRef]) -> None:
        """Read the accounts' present sessions. Raises StoreUnavailable; what was known stays."""
        wanted = [account.account_id for account in accounts]
        found = await self._thread.read(lambda: BrokerAccount.objects.in_bulk(wanted))
        for account_id in wanted:
            self._accounts.pop(account_id, None)
        self._accounts.update(found)

    def __call__(self, account: AccountRef) -> Broker:
        """Give the adapter of one account; without a session its calls raise BrokerAuthError.

        Raises KeyError for an account that was never learned, or is not in the database any more.
        """
        return broker_of(self._accounts[account.account_id], wire_clock=self._clock)

    def history(self, account: AccountRef) -> PriceHistory:
        """Give historical data, on a connection of its own: the account's, for a paper account the feed's.

        Raises BrokerAuthError when there is no feed whose holder lets others see it.
        """
        row = self._reader.submit(_history_row, account.account_id).result(timeout=CREDENTIALS_WITHIN_S)
        return prices_of(row, wire_clock=self._clock)

    def close(self) -> None:
        """End the reading thread."""
        self._reader.shutdown(wait=False)


def _history_row(account_id: int) -> BrokerAccount:
    try:
        account = BrokerAccount.objects.get(pk=account_id)
        return venues.history_account(account)
    finally:
        connection.close()


def kill_files() -> DiskKillFiles:
    """Give the kill directory of this installation."""
    return DiskKillFiles(settings.STATE_DIR)


def live_publisher() -> SyncLivePublisher:
    """Give what tells the pages of a page, task or command."""
    return SyncLivePublisher(redis_client())


def dump_parser(broker: str) -> Parse:
    """Give what reads the instrument dumps of a broker. Raises KeyError for one without an adapter."""
    from trading.brokers.kite.instruments import parse_dump

    return {"kite": parse_dump}[broker]


async def run_strategy(
    clock: Clock, *, hold: MarketHold | None, holder: str, standby: bool, alarm_post: AlarmPost | None = None
) -> None:
    """Run one engine process until SIGTERM or SIGINT: make all that it speaks to, and close it when it has ended.

    `hold` is the simulated market's, None live; `holder` names this process in the lease row. `alarm_post` carries
    its alarms; whoever started it stops it.
    """
    work, lease_work = DatabaseThread("engine database"), DatabaseThread("lease database")
    locks = FileAccountLocks(settings.LOCK_DIR, holder, clock)
    exit_journal = FileExitJournal(settings.LOCK_DIR, locks)
    redis_ = connect(settings.REDIS_URL)
    feed, live, brokers = TickStream(settings.REDIS_URL, clock), RedisLivePublisher(redis_), EngineBrokers(clock, work)
    try:
        live.start()
        deps = EngineDeps(
            clock=clock,
            store=DjangoEngineStore(work, clock),
            leases=DjangoLeaseStore(lease_work),
            locks=locks,
            exit_journal=exit_journal,
            kill_files=kill_files(),
            feed=feed,
            pulse=FilePulse(settings.LOCK_DIR),
            broker_for=brokers,
            learn_brokers=brokers.learn,
            history_for=brokers.history,
            live=live,
            calendar=await work.read(market_calendar),  # with the operator's rows of now
            hold=hold,
            alarm_post=alarm_post,
            holder=holder,
            egress_problem=egress_problem,
            keep_feed_health=live.keep_feed_health,
        )
        await run_engine(deps, standby=standby)
    finally:
        await live.close()
        await feed.close()
        await redis_.aclose()  # type: ignore[attr-defined]
        brokers.close()
        await asyncio.to_thread(exit_journal.close)
        await asyncio.to_thread(work.close)
        await asyncio.to_thread(lease_work.close)
