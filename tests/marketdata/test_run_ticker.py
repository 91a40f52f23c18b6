"""`run_ticker` as the real process: it waits for a login, feeds Redis, and leaves in order."""

import asyncio
import os
import signal
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.brokers.kite.fake_socket import FakeSocket, fake_socket
from trading.marketdata import keys
from trading.marketdata.codec import decode_batch
from trading.marketdata.status import FeedState, FeedStatus, decode_status

pytestmark = pytest.mark.processes
ROOT = Path(__file__).parents[2]
NIFTY = 256265

SIGN_IN = """
from datetime import timedelta
from django.utils import timezone
from trading.models import BrokerAccount, FeedAccount, InstrumentRow, User
bob = User.objects.create_user("bob@example.com", "a password of bob", is_operator=True)
account = BrokerAccount.objects.create(
    owner=bob, broker="kite", broker_user_id="OP1000", key="kite:OP1000", api_key="keyofbob", api_secret="secretofbob",
    access_token="tokenofbob", token_expires_at=timezone.now() + timedelta(hours=1),
)
FeedAccount.objects.create(account=account)
InstrumentRow.objects.create(
    broker="kite", exchange="NSE", tradingsymbol="NIFTY 50", token=256265, tick_size="0.05", lot_size=1,
    instrument_type="INDEX", segment="INDICES",
)
"""


def environment(state_dir: Path, redis_url: str, ws_root: str) -> dict[str, str]:
    """Give the environment of a process of a demo without a simulated clock."""
    own = {
        "DJANGO_SETTINGS_MODULE": "algosystem.settings",
        "ALGO_STATE_DIR": str(state_dir),
        "ALGO_VENUE": "demo",
        "ALGO_CONTROL_URL": "",
        "REDIS_URL": redis_url,
        "KITE_WS_ROOT": ws_root,
    }
    return {**{name: value for name, value in os.environ.items() if name != "DATABASE_URL"}, **own}


def manage(*arguments: str, env: dict[str, str]) -> None:
    """Run a management command to its end."""
    subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=ROOT, env=env, check=True, capture_output=True, timeout=240
    )


async def until(redis: Any, is_true: Callable[[FeedStatus], bool]) -> FeedStatus:
    """Give the feed's status once it is as wished, within a minute and a half."""
    async with asyncio.timeout(90):
        while True:
            text = redis.get(keys.FEED_STATUS)
            if text is not None and is_true(decode_status(text)):
                return decode_status(text)
            await asyncio.sleep(0.05)


async def sends_nifty(socket: web.WebSocketResponse, request: web.Request) -> None:
    """Answer every message with a full packet of NIFTY 50."""
    async for _ in socket:
        price = 2_590_005
        await socket.send_bytes(struct.pack(">HH8I", 1, 32, NIFTY, price, price, price, price, price, 0, 1_795_405_500))


async def play(redis: Any, served: FakeSocket, env: dict[str, str], ticker: "subprocess.Popen[str]") -> None:
    """Wait for the login, sign in, and hear the feed."""
    waiting = await until(redis, lambda status: status.state is FeedState.WAITING_FOR_LOGIN)
    assert waiting.sentence == "waiting for the feed account's login"
    assert served.queries == []

    await asyncio.to_thread(manage, "shell", "-c", SIGN_IN, env=env)
    fed = await until(redis, lambda status: status.at_ms is not None)

    assert (fed.state, fed.account, fed.at_ms) == (FeedState.CONNECTED, "kite:OP1000", 1_795_405_500_000)
    assert served.queries == [{"api_key": "keyofbob", "access_token": "tokenofbob"}]
    assert ticker.poll() is None


def test_it_waits_for_a_login_feeds_redis_and_leaves_in_order(redis_url: str, redis: Any, tmp_path: Path) -> None:
    async def scene() -> str:
        async with fake_socket() as served:
            served.will(sends_nifty)
            env = environment(tmp_path / "state", redis_url, served.root)
            await asyncio.to_thread(manage, "migrate", env=env)
            command = [sys.executable, "manage.py", "run_ticker"]
            ticker = await asyncio.to_thread(
                lambda: subprocess.Popen(
                    command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
                )
            )
            try:
                await play(redis, served, env, ticker)
            finally:
                ticker.send_signal(signal.SIGTERM)
                said, _ = await asyncio.to_thread(ticker.communicate, timeout=60)
            assert ticker.returncode == 0, said
            return said

    said = asyncio.run(scene())

    ((_, fields), *_) = redis.xrange(keys.TICKS)
    (tick, *_) = decode_batch(fields[keys.TICKS_FIELD]).ticks
    assert (tick.token, tick.ltp) == (NIFTY, 259_000_500)
    assert decode_status(redis.get(keys.FEED_STATUS)).state is FeedState.STOPPED
    assert "tokenofbob" not in said
    assert "Traceback" not in said
