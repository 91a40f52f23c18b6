"""The live socket: a snapshot first, numbered messages, nothing of anybody else, and closed doors."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from django.conf import settings as django_settings
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client as Browser

from tests.tcp_wire import Wire
from tests.web.seed import ControlPort, put_price, seed_day, seed_feed
from trading.marketdata import keys
from trading.marketdata.live import encode_message
from trading.models import Client, User
from trading.web.live import consumer, hub
from trading.web.live.consumer import is_signed_in
from trading.web.live.hub import MOST_SOCKETS_A_USER
from trading.web.live.outbox import Outbox
from trading.web.routing import websocket_urlpatterns

pytestmark = pytest.mark.django_db(transaction=True)
Message = dict[str, Any]
Open = Callable[[Client | User | None], Awaitable["Tab"]]
WITHIN_S = 30.0


class Tab:
    """One browser tab's socket."""

    def __init__(self, user: User | None) -> None:
        scope = {
            "type": "websocket",
            "path": "/ws/live/",
            "headers": [(b"cookie", _cookie(user))] if user else [],
            "query_string": b"",
            "subprotocols": [],
        }
        self.socket = ApplicationCommunicator(AuthMiddlewareStack(URLRouter(websocket_urlpatterns)), scope)

    async def connect(self) -> Message:
        await self.socket.send_input({"type": "websocket.connect"})
        return await self.output()

    async def output(self) -> Message:
        found: Message = await self.socket.receive_output(timeout=WITHIN_S)
        return found

    async def message(self, kind: str) -> Message:
        """Wait for the next message of a kind, passing over others."""
        deadline = asyncio.get_running_loop().time() + WITHIN_S
        while True:
            assert asyncio.get_running_loop().time() < deadline, f"no {kind} came"
            frame = await self.output()
            assert frame["type"] == "websocket.send", frame
            found: Message = json.loads(frame["text"])
            if found["type"] == kind:
                return found

    async def say(self, text: str) -> None:
        await self.socket.send_input({"type": "websocket.receive", "text": text})

    async def closed_with(self) -> int:
        while True:
            frame = await self.output()
            if frame["type"] == "websocket.close":
                return int(frame["code"])

    async def leave(self) -> None:
        await self.socket.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.socket.wait(timeout=WITHIN_S)


def _cookie(user: User) -> bytes:
    browser = Browser()
    browser.force_login(user)
    name = django_settings.SESSION_COOKIE_NAME
    return f"{name}={browser.cookies[name].value}".encode()


@pytest.fixture
async def tabs() -> AsyncIterator[Open]:
    opened: list[Tab] = []

    async def open_tab(who: Client | User | None) -> Tab:
        user = who.user if isinstance(who, Client) else who
        tab = await sync_to_async(Tab)(user)
        opened.append(tab)
        return tab

    yield open_tab
    for tab in opened:
        if not tab.socket.future.done():
            await tab.leave()


async def live(redis: Any, client_id: int | None, kind: str, data: Message) -> None:
    """Publish once the hub listens."""
    for _ in range(100):
        if redis.publish(keys.LIVE, encode_message(client_id, kind, data)):
            return
        await asyncio.sleep(0.05)
    raise AssertionError("nobody listened to the live channel")


async def test_the_first_message_is_a_numbered_snapshot(day: Client, tabs: Open) -> None:
    tab = await tabs(day)

    assert (await tab.connect())["type"] == "websocket.accept"
    first = json.loads((await tab.output())["text"])

    assert (first["v"], first["seq"], first["type"]) == (1, 1, "snapshot")
    assert first["data"]["market"]["time"] == "2026-11-23T10:42:07.000+05:30"
    assert [row["open"] for row in first["data"]["positions"]] == [70, 225, 400]
    assert {"pnl", "state", "orders", "watchlist", "events", "feed"} <= set(first["data"])


@pytest.mark.proves("I24")
async def test_messages_are_numbered_without_a_gap_and_a_snapshot_comes_again_when_asked(
    day: Client, tabs: Open, redis: Any
) -> None:
    tab = await tabs(day)
    await tab.connect()
    seqs = [(await tab.message("snapshot"))["seq"]]
    await live(redis, day.pk, "pnl", {"total": "12.50"})

    found: Message = {"type": ""}
    while found["type"] != "pnl" and len(seqs) < 20:
        found = json.loads((await tab.output())["text"])
        seqs.append(found["seq"])
    await tab.say('{"type":"snapshot"}')
    again = await tab.message("snapshot")

    assert found["data"] == {"total": "12.50"}
    assert seqs == list(range(1, len(seqs) + 1))
    assert again["seq"] > seqs[-1]


async def test_a_socket_gets_nothing_of_another_client(day: Client, charlie: Client, tabs: Open, redis: Any) -> None:
    tab = await tabs(charlie)
    await tab.connect()
    picture = await tab.message("snapshot")

    for kind in ("pnl", "position", "order", "event", "state"):
        await live(redis, day.pk, kind, {"secret": "alice", "instrument": "NSE:INFY", "account": "kite:AB1001"})
    await live(redis, None, "quote", {"instrument": "NSE:INFY", "ltp": "1.00"})
    await live(redis, charlie.pk, "event", {"kind": "FILL", "sentence": "mine"})
    seen: list[Message] = []
    while len(seen) < 20 and (not seen or seen[-1]["type"] != "event"):
        seen.append(json.loads((await tab.output())["text"]))

    assert "INFY" not in json.dumps(picture)
    assert {message["type"] for message in seen} <= {"market", "feed", "alarms", "event"}
    assert "alice" not in json.dumps(seen)


async def test_own_quotes_come_only_with_the_feed_holders_consent(
    alice: Client, bob: User, redis: Any, market: ControlPort, tabs: Open
) -> None:
    await sync_to_async(seed_feed)(bob, consent=False)
    await sync_to_async(seed_day)(alice)
    tab = await tabs(alice)
    await tab.connect()
    await tab.message("snapshot")

    await live(redis, None, "quote", {"instrument": "NSE:INFY", "ltp": "1.00"})
    await live(redis, alice.pk, "position", {"instrument": "NSE:INFY", "account": "kite:AB1001", "ltp": "1.00"})
    seen: list[Message] = []
    while len(seen) < 20 and (not seen or seen[-1]["type"] != "position"):
        seen.append(json.loads((await tab.output())["text"]))

    assert [seen[-1]["data"][name] for name in ("ltp", "unrealised", "percent")] == [None, None, None]
    assert "quote" not in {message["type"] for message in seen}


async def test_the_operator_sees_every_client_in_a_row(day: Client, bob: User, tabs: Open, redis: Any) -> None:
    tab = await tabs(bob)
    await tab.connect()
    picture = await tab.message("snapshot")

    await live(redis, day.pk, "pnl", {"realised": "1", "unrealised": "2", "total": "3", "loss_left": "4"})
    row = await tab.message("client")
    while row["data"].get("total") != "3":
        row = await tab.message("client")

    assert [(one["email"], one["open_positions"]) for one in picture["data"]["clients"]] == [(day.user.email, 3)]
    assert {name: row["data"].get(name) for name in ("id", "realised", "unrealised", "loss_left")} == {
        "id": day.pk, "realised": "1", "unrealised": "2", "loss_left": None,
    }  # fmt: skip


async def test_the_operators_sums_and_counts_move_although_no_engine_tells_them(
    day: Client, bob: User, tabs: Open, redis: Any
) -> None:
    tab = await tabs(bob)
    await tab.connect()
    before = (await tab.message("snapshot"))["data"]["pnl"]

    await sync_to_async(put_price)(redis, 779521, Decimal("830.45"))
    told = await tab.message("pnl")
    while told["data"] == before:
        told = await tab.message("pnl")
    row = await tab.message("client")

    assert Decimal(told["data"]["total"]) - Decimal(before["total"]) == 400 * (Decimal("830.45") - Decimal("824.40"))
    assert (row["data"]["open_positions"], row["data"]["orders"]) == (3, 7)


async def test_a_sum_with_an_unpriced_position_in_it_is_unknown(day: Client, tabs: Open, redis: Any) -> None:
    tab = await tabs(day)
    await tab.connect()
    await tab.message("snapshot")

    await live(redis, day.pk, "pnl", {"realised": "1", "unrealised": "2", "total": "3", "unpriced": ["NSE:INFY"]})

    told = (await tab.message("pnl"))["data"]
    assert (told["realised"], told["unrealised"], told["total"]) == ("1", None, None)


async def test_an_event_comes_with_its_tone_and_a_position_with_its_percent(
    day: Client, tabs: Open, redis: Any
) -> None:
    tab = await tabs(day)
    await tab.connect()
    await tab.message("snapshot")
    held = {"account": "kite:AB1001", "instrument": "NSE:INFY", "average_price": "100", "open": 10, "unrealised": "25"}

    await live(redis, day.pk, "event", {"kind": "STOP", "sentence": "stop hit", "at": "2026-11-23T05:13:09+00:00"})
    await live(redis, day.pk, "position", held)

    assert (await tab.message("position"))["data"]["percent"] == "2.50"
    assert (await tab.message("event"))["data"]["tone"] == "warn"


async def test_the_engines_market_time_is_told_in_indian_time(day: Client, tabs: Open, redis: Any) -> None:
    tab = await tabs(day)
    await tab.connect()
    await tab.message("snapshot")

    await live(redis, None, "market", {"time": "2026-11-23T05:13:09+00:00", "phase": "continuous"})
    seen = await tab.message("market")
    while "10:43:09" not in seen["data"]["time"]:
        seen = await tab.message("market")

    assert seen["data"]["time"] == "2026-11-23T10:43:09.000+05:30"
    assert seen["data"].get("phase", "open") == "open", "the pulse alone names the phase"


@pytest.mark.proves("F36", "I24")
async def test_the_pulse_goes_on_while_redis_is_away(alice: Client, market: ControlPort, tabs: Open) -> None:
    tab = await tabs(alice)
    await tab.connect()
    await tab.message("snapshot")

    assert (await tab.message("feed"))["data"]["age_s"] is None
    assert (await tab.message("market"))["data"]["phase"] == "open"


@pytest.mark.proves("F55")
async def test_a_line_to_redis_that_died_unsaid_is_made_anew(
    day: Client, tabs: Open, redis: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "QUIET_S", 0.3)
    place = urlsplit(settings.REDIS_URL)
    wire = Wire(place.port or 0)
    settings.REDIS_URL = settings.REDIS_URL.replace(f":{place.port}", f":{wire.port}")
    try:
        tab = await tabs(day)
        await tab.connect()
        await tab.message("snapshot")
        await live(redis, day.pk, "pnl", {"total": "1.00"})
        await tab.message("pnl")

        wire.forget()

        await tab.message("snapshot")
        await live(redis, day.pk, "pnl", {"total": "2.00"})
        assert (await tab.message("pnl"))["data"] == {"total": "2.00"}
    finally:
        wire.close()


async def test_a_stranger_is_sent_away(db: None, tabs: Open) -> None:
    assert await (await tabs(None)).connect() == {"type": "websocket.close", "code": 4401}


async def test_the_sixth_socket_of_a_person_is_refused(alice: Client, market: ControlPort, tabs: Open) -> None:
    for _ in range(MOST_SOCKETS_A_USER):
        assert (await (await tabs(alice)).connect())["type"] == "websocket.accept"

    assert await (await tabs(alice)).connect() == {"type": "websocket.close", "code": 4429}


@pytest.mark.parametrize(
    ("text", "code"),
    [("x" * 70_000, 1009), ("not json", 1003), ('{"type":"kill"}', 1003), ('{"type":"snapshot","client":1}', 1003)],
)
async def test_whatever_is_no_wish_for_a_snapshot_closes_the_socket(
    alice: Client, market: ControlPort, tabs: Open, text: str, code: int
) -> None:
    tab = await tabs(alice)
    await tab.connect()

    await tab.say(text)

    assert await tab.closed_with() == code


async def test_more_than_twenty_messages_a_second_close_the_socket(
    alice: Client, market: ControlPort, tabs: Open
) -> None:
    tab = await tabs(alice)
    await tab.connect()

    for _ in range(21):
        await tab.say('{"type":"snapshot"}')

    assert await tab.closed_with() == 4429


async def test_a_socket_closes_when_its_session_has_ended(
    alice: Client, market: ControlPort, tabs: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer, "SESSION_CHECKED_EVERY_S", 0.1)
    tab = await tabs(alice)
    await tab.connect()
    await tab.message("snapshot")

    await sync_to_async(_end_all_sessions)()

    assert await tab.closed_with() == 4401


def _end_all_sessions() -> None:
    SessionStore.get_model_class().objects.all().delete()


def test_a_session_counts_only_for_its_own_person(alice: Client, charlie: Client) -> None:
    browser = Browser()
    browser.force_login(alice.user)
    key = browser.session.session_key

    assert is_signed_in(key, alice.user.pk)
    assert not is_signed_in(key, charlie.user.pk)
    assert not is_signed_in(None, alice.user.pk)


def test_of_what_repeats_only_the_newest_waits_and_no_event_is_lost() -> None:
    outbox = Outbox()
    for number in range(3):
        outbox.put("pnl", {"total": number})
        outbox.put("quote", {"instrument": f"NSE:{number % 2}", "ltp": number})
        outbox.put("event", {"sentence": number})

    waiting = outbox.take()

    assert [data["total"] for kind, data in waiting if kind == "pnl"] == [2]
    assert [data["ltp"] for kind, data in waiting if kind == "quote"] == [2, 1]
    assert [data["sentence"] for kind, data in waiting if kind == "event"] == [0, 1, 2]
    assert outbox.take() == []
