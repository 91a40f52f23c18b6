"""The unmodified KiteTicker with 3,000 instruments: full mode, three sockets, changes in mid-stream, reconnects."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from tests.exchange.fakes import INFY, Desk, FakeMarket, quote_of
from tests.exchange.kite.children import child
from tests.exchange.kite.served import Served, serving

MANY = [replace(INFY, tradingsymbol=f"MANY{number:04d}", token=(300_000 + number) * 256 + 1) for number in range(3001)]
TOKENS = [one.token for one in MANY]
ALL_FULL = {"modes": {"full": 3000}, "instruments": 3000, "with_depth": 3000}


class WideMarket(FakeMarket):
    """The fake market with 3,001 shares more."""

    def __init__(self) -> None:
        super().__init__()
        self.instruments |= {one.token: one for one in MANY}
        for one in MANY:
            self.put(quote_of(one, 1500))


class Ticker:
    """A KiteTicker process, told and heard line by line."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    def tell(self, *words: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(words).encode() + b"\n")

    async def next(self, *kinds: str) -> list[Any]:
        """Give the next message of one of these kinds as [kind, data]; others are passed over."""
        assert self._process.stdout is not None
        async with asyncio.timeout(200):
            while True:
                line = await self._process.stdout.readline()
                assert line, "the ticker process ended"
                said: list[Any] = json.loads(line)
                if said[0] in kinds:
                    return said

    async def ticks_like(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """Wait for a batch that has all of this."""
        while True:
            _, found = await self.next("ticks")
            if wanted.items() <= found.items():
                return dict(found)

    async def watches(self, tokens: list[int], mode: str) -> None:
        """Subscribe and wait for the picture of all of them in this mode."""
        self.tell("subscribe", tokens)
        self.tell("set_mode", mode, tokens)
        await self.ticks_like({"modes": {mode: len(tokens)}})


@asynccontextmanager
async def ticker(served: Served, user_id: str = "AB1001") -> AsyncIterator[Ticker]:
    user = served.desk.venue.users[user_id]
    words = [served.ws, user.api_key, served.desk.venue.issue_token(user_id)]
    async with child("tests.exchange.kite.ticker_load_client", *words) as process:
        yield Ticker(process)


@pytest.fixture
def prices() -> Callable[[Served], float]:
    """Give what moves all 3,001 shares by a rupee."""
    state = {"at": 1500}

    def move(served: Served) -> float:
        state["at"] += 1
        served.face.send_ticks([quote_of(one, state["at"]) for one in MANY])
        return float(state["at"])

    return move


async def test_three_sockets_of_a_key_get_3000_in_full_mode_and_the_fourth_is_refused(
    prices: Callable[[Served], float],
) -> None:
    async with serving(Desk(market=WideMarket())) as served, AsyncExitStack() as stack:
        three = [await stack.enter_async_context(ticker(served)) for _ in range(3)]
        for one in three:
            await one.next("connected")
            await one.watches(TOKENS[:3000], "full")
        fourth = await stack.enter_async_context(ticker(served))
        refused = await fourth.next("close", "connected")
        at = prices(served)
        seen = [await one.ticks_like({"prices": [at]}) for one in three]

    assert refused[0] == "close"
    assert "429" in str(refused[1])
    assert seen == [ALL_FULL | {"prices": [at]}] * 3


async def test_the_3001st_instrument_is_refused_and_the_3000_go_on(prices: Callable[[Served], float]) -> None:
    async with serving(Desk(market=WideMarket())) as served, ticker(served) as one:
        await one.next("connected")
        one.tell("subscribe", TOKENS)
        too_many = await one.next("error", "ticks")
        await one.watches(TOKENS[:3000], "full")
        one.tell("subscribe", TOKENS[3000:])
        one_more = await one.next("error", "ticks")
        at = prices(served)
        seen = await one.ticks_like({"prices": [at]})

    assert too_many == one_more == ["error", [0, "Maximum 3000 instruments are allowed on a connection."]]
    assert seen == ALL_FULL | {"prices": [at]}


async def test_modes_and_subscriptions_change_while_ticks_come(prices: Callable[[Served], float]) -> None:
    async with serving(Desk(market=WideMarket())) as served, ticker(served) as one:
        await one.next("connected")
        await one.watches(TOKENS[:3000], "full")

        async def streaming() -> None:
            while True:
                prices(served)
                await asyncio.sleep(0.1)

        stream = asyncio.create_task(streaming())
        one.tell("set_mode", "ltp", TOKENS[:1000])
        one.tell("set_mode", "quote", TOKENS[1000:1500])
        one.tell("unsubscribe", TOKENS[1400:2000])
        changed = await one.ticks_like({"modes": {"ltp": 1000, "quote": 400, "full": 1000}})
        one.tell("set_mode", "full", TOKENS[:1000])
        one.tell("subscribe", TOKENS[1400:1401])
        back = await one.ticks_like({"modes": {"quote": 401, "full": 2000}})
        stream.cancel()

    assert (changed["instruments"], changed["with_depth"]) == (2400, 1000)
    assert (back["instruments"], back["with_depth"]) == (2401, 2000)


async def test_after_a_broken_connection_the_sdk_has_its_3000_again_each_in_its_mode(
    prices: Callable[[Served], float],
) -> None:
    async with serving(Desk(market=WideMarket())) as served, ticker(served) as one:
        await one.next("connected")
        await one.watches(TOKENS[:3000], "full")
        one.tell("set_mode", "ltp", TOKENS[:1200])
        await one.ticks_like({"modes": {"ltp": 1200}})
        kinds = []
        for _ in range(2):  # a second break while the first is hardly over
            served.set({"action": "close", "match": {"method": "CLOCK", "user_id": "AB1001"}, "n": 1})
            kinds.append([(await one.next(kind))[0] for kind in ("close", "connected")])
            await one.ticks_like({"modes": {"ltp": 1200}})
        await one.ticks_like({"modes": {"full": 1800}})
        at = prices(served)
        seen = await one.ticks_like({"prices": [at]})

    assert kinds == [["close", "connected"]] * 2
    assert seen == {"modes": {"ltp": 1200, "full": 1800}, "instruments": 3000, "with_depth": 1800, "prices": [at]}
