"""The ticker without a broker: logins, batches, quotes and the steps of a simulated market."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from tests.marketdata.made import INFY, NINE_FIFTEEN, SBIN, tick
from trading.clock.live import LiveClock
from trading.domain.errors import BrokerAuthError
from trading.domain.ticks import Tick
from trading.marketdata import outbox as outbox_module
from trading.marketdata import ticker_service
from trading.marketdata.outbox import TickOutbox
from trading.marketdata.quotes import QuoteBoard
from trading.marketdata.status import FeedState, FeedStatus
from trading.marketdata.ticker_service import FeedLogin, TickerService
from trading.ports import MarketRound, TickBatch

PATIENCE_S = 30.0
LOGIN = FeedLogin("kite:OP1000", "OP1000", "key", "token-1", "ws://127.0.0.1:1", {INFY: "NSE:INFY"})


class Written:
    """A writer that remembers; `is_away` makes it a Redis that is gone."""

    def __init__(self) -> None:
        self.batches: list[TickBatch] = []
        self.told: list[FeedStatus] = []
        self.is_away = False

    async def write(self, batch: TickBatch, status: FeedStatus) -> None:
        if self.is_away:
            raise RedisConnectionError
        self.batches.append(batch)
        self.told.append(status)

    async def tell(self, status: FeedStatus) -> None:
        if self.is_away:
            raise RedisConnectionError
        self.told.append(status)

    @property
    def ticks(self) -> list[Tick]:
        return [one for batch in self.batches for one in batch.ticks]


class Source:
    """A broker's feed by hand."""

    def __init__(self, login: FeedLogin, take: Callable[[Sequence[Tick]], None]) -> None:
        self.login = login
        self.take = take
        self.wanted: list[set[int]] = []
        self.frames = 0
        self.connection = 0
        self.is_connected = False
        self.is_ready = False
        self.moved = asyncio.Event()
        self.end: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.was_left = False

    def want(self, tokens: Iterable[int]) -> None:
        self.wanted.append(set(tokens))

    def connect(self) -> None:
        self.connection += 1
        self.frames = 0
        self.is_connected = self.is_ready = True
        self.moved.set()

    def lose(self) -> None:
        self.is_connected = self.is_ready = False
        self.moved.set()

    def frame(self, *ticks: Tick) -> None:
        self.frames += 1
        self.take(ticks)
        self.moved.set()

    async def run(self) -> None:
        try:
            await self.end
        finally:
            self.was_left = True
            self.lose()


class Market:
    """A simulated market by hand."""

    def __init__(self) -> None:
        self.asked: asyncio.Queue[MarketRound] = asyncio.Queue()
        self.answered: asyncio.Queue[MarketRound] = asyncio.Queue()

    async def rounds(self) -> AsyncIterator[MarketRound]:
        while True:
            yield await self.asked.get()

    async def answer(self, round_: MarketRound, *, next_due: datetime | None, until: datetime | None = None) -> None:
        self.answered.put_nowait(round_)

    async def busy(self, round_: MarketRound) -> None: ...

    def ask(self, step: int, frames: int, *, round_: int = 1) -> None:
        at = datetime.fromtimestamp(NINE_FIFTEEN + step, UTC)
        self.asked.put_nowait(MarketRound(step, round_, at, True, {"OP1000": frames}, {}, True))

    async def done(self) -> int:
        return (await asyncio.wait_for(self.answered.get(), timeout=PATIENCE_S)).step


class Stage:
    """The service with everything around it in the test's hand."""

    def __init__(self, market: Market | None = None) -> None:
        self.login: FeedLogin | None = LOGIN
        self.looked = 0
        self.sources: list[Source] = []
        self.written = Written()
        self.quotes: list[Any] = []
        self.service = TickerService(
            find_login=self._find,
            make_source=self._make,
            writer=self.written,  # type: ignore[arg-type]
            board=QuoteBoard(self),
            clock=LiveClock(),
            market=market,
        )

    def publish(self, client_id: int | None, kind: str, data: Any) -> None:
        self.quotes.append((client_id, kind, data))

    async def _find(self) -> FeedLogin | None:
        self.looked += 1
        return self.login

    def _make(self, login: FeedLogin, take: Callable[[Sequence[Tick]], None]) -> Source:
        self.sources.append(Source(login, take))
        return self.sources[-1]

    @property
    def source(self) -> Source:
        return self.sources[-1]


@asynccontextmanager
async def on_stage(market: Market | None = None) -> AsyncIterator[Stage]:
    """Run the service; on leaving it is told to stop."""
    stage = Stage(market)
    running = asyncio.create_task(stage.service.run())
    await asyncio.sleep(0.02)
    try:
        yield stage
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let patience be short."""
    monkeypatch.setattr(ticker_service, "LOOK_FOR_LOGIN_S", 0.02)
    monkeypatch.setattr(ticker_service, "READY_WITHIN_S", 0.5)
    monkeypatch.setattr(ticker_service, "SETTLE_WITHIN_S", 0.2)
    monkeypatch.setattr(ticker_service, "EVERY_S", 0.02)


async def until(is_true: Callable[[], bool]) -> None:
    """Wait half a minute at the most for something to become true."""
    async with asyncio.timeout(PATIENCE_S):
        while not is_true():  # noqa: ASYNC110 (the condition has no event)
            await asyncio.sleep(0.005)


async def test_ticks_that_come_together_go_as_one_batch_with_the_feeds_age() -> None:
    async with on_stage() as stage:
        stage.source.connect()
        stage.source.frame(tick(ltp=1), tick(SBIN, 2))
        stage.source.frame(tick(ltp=3, after_s=2))
        await until(lambda: bool(stage.written.batches))

        assert stage.written.batches == [TickBatch((tick(ltp=1), tick(SBIN, 2), tick(ltp=3, after_s=2)), None)]
        status = stage.written.told[-1]
        assert (status.state, status.account, status.at_ms) == (
            FeedState.CONNECTED,
            "kite:OP1000",
            (NINE_FIFTEEN + 2) * 1000,
        )


async def test_pages_get_a_quote_of_each_named_instrument() -> None:
    async with on_stage() as stage:
        stage.source.frame(tick(ltp=15_635_500), tick(SBIN, 2))
        await until(lambda: bool(stage.quotes))

        ((client_id, kind, data),) = stage.quotes
        assert (client_id, kind, data["instrument"], data["ltp"]) == (None, "quote", "NSE:INFY", "1563.55")


async def test_without_a_login_it_waits_and_says_so_and_begins_when_somebody_signs_in() -> None:
    async with on_stage() as stage:
        stage.login = None
        await until(lambda: stage.written.told[-1].state is FeedState.WAITING_FOR_LOGIN)
        assert stage.written.told[-1].sentence == "waiting for the feed account's login"

        stage.login = LOGIN
        await until(lambda: len(stage.sources) == 2)

        assert stage.sources[0].was_left
        assert stage.source.wanted == [{INFY}]


async def test_a_new_session_takes_the_old_ones_place() -> None:
    async with on_stage() as stage:
        first = stage.source
        stage.login = FeedLogin("kite:OP1000", "OP1000", "key", "token-2", LOGIN.ws_root, {INFY: "NSE:INFY"})
        await until(lambda: len(stage.sources) == 2)

        assert first.was_left
        assert stage.source.login.access_token == "token-2"


async def test_a_changed_watchlist_changes_what_is_subscribed_on_the_same_connection() -> None:
    async with on_stage() as stage:
        both = {INFY: "NSE:INFY", SBIN: "NSE:SBIN"}
        stage.login = FeedLogin("kite:OP1000", "OP1000", "key", "token-1", LOGIN.ws_root, both)
        await until(lambda: stage.source.wanted[-1] == {INFY, SBIN})

        assert len(stage.sources) == 1


@pytest.mark.proves("F31")
async def test_a_refused_login_is_not_tried_again_until_there_is_another() -> None:
    async with on_stage() as stage:
        stage.source.end.set_exception(BrokerAuthError("no", status=403))
        await until(lambda: stage.written.told[-1].state is FeedState.WAITING_FOR_LOGIN)
        looked = stage.looked
        await until(lambda: stage.looked > looked + 3)
        assert len(stage.sources) == 1

        stage.login = FeedLogin("kite:OP1000", "OP1000", "key", "token-2", LOGIN.ws_root, {})
        await until(lambda: len(stage.sources) == 2)


@pytest.mark.proves("F08")
async def test_a_source_that_breaks_for_no_known_reason_is_made_again() -> None:
    async with on_stage() as stage:
        stage.source.end.set_exception(RuntimeError("bug"))

        await until(lambda: len(stage.sources) == 2)


async def test_the_end_is_told() -> None:
    async with on_stage() as stage:
        pass

    assert stage.source.was_left
    assert stage.written.told[-1].state is FeedState.STOPPED


@pytest.mark.proves("F36", "F39")
async def test_ticks_wait_for_a_redis_that_is_away_and_keep_their_order() -> None:
    async with on_stage() as stage:
        stage.written.is_away = True
        for n in range(1, 6):
            stage.source.frame(tick(ltp=n))
            await asyncio.sleep(0.01)
        assert stage.written.batches == []

        stage.written.is_away = False
        await until(lambda: len(stage.written.ticks) == 5)

        assert [one.ltp for one in stage.written.ticks] == [1, 2, 3, 4, 5]


async def test_too_many_waiting_ticks_are_joined_to_the_newest_of_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox_module, "MOST_WAITING", 10)
    written = Written()
    outbox = TickOutbox(written, LiveClock(), lambda: FeedStatus(FeedState.CONNECTED))  # type: ignore[arg-type]

    for n in range(11):
        outbox.put([tick(ltp=n)])
    await outbox.flush()

    assert written.batches == [TickBatch((tick(ltp=10),), None)]


async def test_a_step_is_answered_when_all_its_frames_are_published_in_one_batch() -> None:
    market = Market()
    async with on_stage(market) as stage:
        stage.source.connect()
        market.ask(1, 0)
        assert await market.done() == 1
        market.ask(2, frames=2)
        stage.source.frame(tick(ltp=1))
        await asyncio.sleep(0.1)
        assert market.answered.empty()

        stage.source.frame(tick(ltp=2))

        assert await market.done() == 2
        assert stage.written.batches[0] == TickBatch((), 1)
        assert stage.written.batches[-1].step == 2
        assert [one.ltp for one in stage.written.ticks] == [1, 2]


async def test_a_step_without_ticks_is_published_empty_and_later_rounds_are_not_answered() -> None:
    market = Market()
    async with on_stage(market) as stage:
        stage.source.connect()
        market.ask(1, 0)
        market.ask(1, 0, round_=2)
        market.ask(2, 0)

        assert [await market.done(), await market.done()] == [1, 2]
        assert [batch.step for batch in stage.written.batches] == [1, 2]


async def test_a_step_waits_for_the_first_prices_of_a_connection_that_is_being_made() -> None:
    market = Market()
    async with on_stage(market) as stage:
        market.ask(1, 0)
        await asyncio.sleep(0.1)
        assert market.answered.empty()

        stage.source.connect()

        assert await market.done() == 1


async def test_the_market_goes_on_when_the_connection_does_not_come_and_waits_only_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    market = Market()
    async with on_stage(market):
        market.ask(1, 0)
        assert await market.done() == 1

        monkeypatch.setattr(ticker_service, "READY_WITHIN_S", 2 * PATIENCE_S)
        for step in (2, 3, 4):
            market.ask(step, 0)
            assert await market.done() == step


async def test_a_login_made_between_two_steps_is_used_before_the_next_is_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ticker_service, "LOOK_FOR_LOGIN_S", 60)
    market = Market()
    async with on_stage(market) as stage:
        stage.login = None
        await stage.service.look()
        market.ask(1, 0)
        assert await market.done() == 1

        stage.login = LOGIN
        market.ask(2, 0)
        await until(lambda: len(stage.sources) == 2)
        assert market.answered.empty()
        stage.source.connect()

        assert await market.done() == 2


async def test_a_count_that_may_mean_the_old_connection_is_not_waited_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ticker_service, "READY_WITHIN_S", 2 * PATIENCE_S)
    market = Market()
    async with on_stage(market) as stage:
        stage.source.connect()
        market.ask(1, 0)
        await market.done()
        stage.source.lose()
        stage.source.connect()

        market.ask(2, frames=500)

        assert await market.done() == 2


async def test_a_connection_lost_in_mid_step_does_not_hold_the_market(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ticker_service, "READY_WITHIN_S", 2 * PATIENCE_S)
    market = Market()
    async with on_stage(market) as stage:
        stage.source.connect()
        market.ask(1, 0)
        await market.done()
        market.ask(2, frames=5)
        await asyncio.sleep(0.02)

        stage.source.lose()

        assert await market.done() == 2


def test_a_logins_secrets_are_not_in_its_repr() -> None:
    assert "token-1" not in repr(LOGIN)
    assert "'key'" not in repr(LOGIN)
