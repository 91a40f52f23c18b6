"""`run_ticker`: the feed account's market data to Redis. One process, kiteconnect's reactor in its main thread."""

import asyncio
import contextlib
import signal
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from trading.clock.live import LiveClock
from trading.clock.simulated import MarketParticipant
from trading.domain.errors import StoreUnavailable
from trading.domain.instruments import Instrument
from trading.marketdata.bus import TickWriter, connect
from trading.marketdata.live import RedisLivePublisher
from trading.marketdata.paper_feed import PaperFeed
from trading.marketdata.quotes import QuoteBoard
from trading.marketdata.ticker_service import FeedLogin, TickerService
from trading.ports import Clock
from trading.services import wiring
from trading.services.build import build_words
from trading.services.feed import feed_login, instruments_of
from trading.stores import heartbeats
from trading.stores.thread import DatabaseThread

BEATS_EVERY_S = 5.0


class Command(BaseCommand):
    """Run until SIGTERM or Ctrl-C."""

    help = "Read the feed account's market data and publish it to Redis. Waits while nobody is signed in."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the ticker in this process."""
        wiring.run_on_ticker_loop(_until_told())


async def _until_told() -> None:
    """Serve until the first SIGTERM or SIGINT, then leave in order."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    work = asyncio.create_task(_serve(), name="ticker")
    told = asyncio.create_task(stop.wait(), name="told to stop")
    await asyncio.wait({work, told}, return_when=asyncio.FIRST_COMPLETED)
    told.cancel()
    work.cancel()
    await asyncio.gather(told, return_exceptions=True)
    try:
        await work
    except asyncio.CancelledError:
        return


async def _serve() -> None:
    market = MarketParticipant(settings.ALGO_CONTROL_URL, name="ticker", role="ticker") if _is_simulated() else None
    clock = market or LiveClock()
    redis, database = connect(settings.REDIS_URL), DatabaseThread("ticker database")
    publisher = RedisLivePublisher(redis)

    async def find_instruments(tokens: Iterable[int]) -> list[Instrument]:
        return await database.run(lambda: instruments_of(tokens))

    paper = PaperFeed(settings.PAPER_CONTROL_URL, clock, find=find_instruments) if settings.PAPER_CONTROL_URL else None

    async def find_login() -> FeedLogin | None:
        login = await database.run(lambda: feed_login(clock.now(), ws_root=settings.KITE_WS_ROOT))
        if paper is not None and login is not None:
            paper.want(login.instruments)
        return login

    service = TickerService(
        find_login=find_login,
        make_source=lambda login, take: wiring.tick_source(login, take, clock, paper=paper),
        writer=TickWriter(redis),
        board=QuoteBoard(publisher),
        clock=clock,
        market=market,
    )
    publisher.start()
    beating = asyncio.create_task(_beat(database, clock), name="sign of life")
    feeding = asyncio.create_task(paper.run(), name="paper feed") if paper is not None else None
    try:
        if market is not None:
            await market.start()
        await service.run()
    finally:
        beating.cancel()
        if feeding is not None:
            feeding.cancel()
        if market is not None:
            await market.close()
        await publisher.close()
        await redis.aclose()  # type: ignore[attr-defined]
        await asyncio.to_thread(database.close)


async def _beat(database: DatabaseThread, clock: Clock) -> None:
    """Give signs of life; a database that is away only keeps them away."""
    try:
        while True:
            with contextlib.suppress(StoreUnavailable):
                await database.run(lambda: heartbeats.beat("ticker", wall=clock.wall(), detail=build_words()))
            await clock.sleep(BEATS_EVERY_S)
    finally:
        with contextlib.suppress(StoreUnavailable):
            await database.run(lambda: heartbeats.stopped("ticker", wall=clock.wall()))


def _is_simulated() -> bool:
    return bool(settings.ALGO_CONTROL_URL)
