"""The adapter in front of a broker that misbehaves on demand."""

from collections.abc import AsyncIterator
from datetime import date

import pytest

from tests.brokers.kite.fake_kite import FakeKite, fake_kite
from trading.brokers.kite.client import KiteBroker
from trading.clock.live import LiveClock
from trading.domain.orders import OrderIntent, Purpose, PurposeKey, Side

API_KEY, ACCESS_TOKEN = "keyofalice", "tokenofalice"


class HastyClock(LiveClock):
    """Wire time whose sleeps are written down and do not last."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await super().sleep(0)


@pytest.fixture
async def kite() -> AsyncIterator[FakeKite]:
    """Give a scripted broker."""
    async with fake_kite() as served:
        yield served


@pytest.fixture
def clock() -> HastyClock:
    """Give a clock that does not keep tests waiting."""
    return HastyClock()


@pytest.fixture
async def broker(kite: FakeKite, clock: HastyClock) -> AsyncIterator[KiteBroker]:
    """Give alice's account in front of it, with half a second for each call."""
    account = KiteBroker(
        account="kite:AB1001",
        api_key=API_KEY,
        access_token=ACCESS_TOKEN,
        root=kite.root,
        ws_root="ws://127.0.0.1:1",
        clock=clock,
        call_deadline_s=0.5,
    )
    yield account
    await account.close()


@pytest.fixture
def intent() -> OrderIntent:
    """Give one MARKET buy of 10 INFY."""
    key = PurposeKey(date(2026, 11, 23), "kite:AB1001", "NSE:INFY", 1, Purpose.ENTRY)
    return OrderIntent(key=key, side=Side.BUY, quantity=10)
