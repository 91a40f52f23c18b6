"""Order messages of one account's own socket."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from tests.brokers.kite.conftest import HastyClock
from tests.brokers.kite.fake_socket import FakeSocket, Script, fake_socket
from tests.brokers.kite.payload import load
from trading.brokers.kite.sockets import SocketLogin
from trading.brokers.kite.updates import OrderSocket
from trading.domain.errors import BrokerAuthError
from trading.ports import OrderUpdate

HEARTBEAT = b"\x00"


def message(**changes: Any) -> str:
    """Give the payload's order message, changed."""
    update = load("order_update")
    return json.dumps(update | {"data": update["data"] | changes})


def sends(*frames: str | bytes) -> Script:
    """Send these frames and close."""

    async def script(socket: web.WebSocketResponse, request: web.Request) -> None:
        for one in frames:
            await (socket.send_bytes(one) if isinstance(one, bytes) else socket.send_str(one))

    return script


async def stays_silent(socket: web.WebSocketResponse, request: web.Request) -> None:
    """Keep the connection and say nothing at all."""
    await socket.receive()


async def breaks(socket: web.WebSocketResponse, request: web.Request) -> None:
    """Lose the connection without a word."""
    assert request.transport is not None
    request.transport.abort()


@pytest.fixture
async def served() -> AsyncIterator[FakeSocket]:
    """Give a scripted socket."""
    async with fake_socket() as fake:
        yield fake


@pytest.fixture
def orders(served: FakeSocket, clock: HastyClock) -> OrderSocket:
    """Give alice's order socket, which thinks 0.2 s without a frame is death."""
    return OrderSocket(SocketLogin("kite:AB1001", "keyofalice", "tokenofalice", served.root), clock, silent_after_s=0.2)


async def first(orders: OrderSocket, count: int) -> list[OrderUpdate]:
    """Take so many updates."""
    taken: list[OrderUpdate] = []
    updates = orders.updates()
    async with asyncio.timeout(30):
        async for update in updates:
            taken.append(update)
            if len(taken) == count:
                break
    await updates.aclose()
    return taken


async def test_a_connection_begins_with_a_call_to_poll_and_counts_only_order_messages(
    orders: OrderSocket, served: FakeSocket
) -> None:
    noise: list[str | bytes] = [
        '{"type": "message", "data": "hello"}',
        '{"type": "error", "data": "no"}',
        "not json",
        HEARTBEAT,
    ]
    served.will(sends(HEARTBEAT, message(), *noise, message(status="COMPLETE", filled_quantity=100)))

    made, update, complete = await first(orders, 3)

    assert (made.order, made.serial) == (None, 0)
    assert update.order is not None
    assert complete.order is not None
    assert [(one.serial, one.order.broker_status) for one in (update, complete) if one.order] == [
        (1, "UPDATE"),
        (2, "COMPLETE"),
    ]
    assert served.queries[0] == {"api_key": "keyofalice", "access_token": "tokenofalice"}


@pytest.mark.proves("F26", "F55")
async def test_a_lost_connection_is_made_again_and_says_so(
    orders: OrderSocket, served: FakeSocket, clock: HastyClock
) -> None:
    served.will(sends(message()), breaks, sends(message()))

    updates = await first(orders, 5)

    assert [update.serial for update in updates] == [0, 1, 0, 0, 1]
    assert [update.order is None for update in updates] == [True, False, True, True, False]
    assert len(clock.slept) == 2


@pytest.mark.proves("I27")
async def test_waits_between_attempts_grow_to_half_a_minute_at_most(
    orders: OrderSocket, served: FakeSocket, clock: HastyClock
) -> None:
    served.will(breaks)

    await first(orders, 12)

    assert len(clock.slept) == 11
    assert all(0.125 * 2**n <= wait <= 0.25 * 2**n for n, wait in enumerate(clock.slept[:7]))
    assert all(15 <= wait <= 30 for wait in clock.slept[7:])


@pytest.mark.proves("F55")
async def test_a_silent_socket_is_given_up(orders: OrderSocket, served: FakeSocket) -> None:
    served.will(stays_silent, sends(message()))

    updates = await first(orders, 3)

    assert [update.order is None for update in updates] == [True, True, False]


async def test_heartbeats_keep_a_quiet_socket(orders: OrderSocket, served: FakeSocket) -> None:
    async def beats(socket: web.WebSocketResponse, request: web.Request) -> None:
        for _ in range(6):
            await socket.send_bytes(HEARTBEAT)
            await asyncio.sleep(0.1)
        await socket.send_str(message())

    served.will(beats)

    updates = await first(orders, 2)

    assert [update.serial for update in updates] == [0, 1]
    assert len(served.queries) == 1


@pytest.mark.proves("F31", "I27")
async def test_a_refused_login_is_told_and_not_tried_again(orders: OrderSocket, served: FakeSocket) -> None:
    served.status = 403

    with pytest.raises(BrokerAuthError):
        await first(orders, 1)

    assert len(served.queries) == 1


@pytest.mark.parametrize("status", [429, 500, 502])
async def test_other_refusals_are_tried_again(orders: OrderSocket, served: FakeSocket, status: int) -> None:
    served.status = status
    served.will(sends(message()))
    waiting = asyncio.create_task(first(orders, 2))
    for _ in range(3):
        await served.arrivals.get()

    served.status = 101

    assert [update.serial for update in await waiting] == [0, 1]


@pytest.mark.proves("F26", "F33")
async def test_a_message_that_cannot_be_read_asks_for_a_poll(orders: OrderSocket, served: FakeSocket) -> None:
    served.will(sends(message(exchange="NASDAQ"), message()))

    _, unreadable, readable = await first(orders, 3)

    assert (unreadable.order, unreadable.serial) == (None, 1)
    assert (readable.order is not None, readable.serial) == (True, 2)


async def test_no_log_line_holds_the_token(
    orders: OrderSocket, served: FakeSocket, caplog: pytest.LogCaptureFixture
) -> None:
    served.will(breaks, sends(message()))

    with caplog.at_level(logging.DEBUG, logger="trading"):
        await first(orders, 3)

    assert "account=kite:AB1001 order socket lost: closed" in caplog.text
    assert "tokenofalice" not in caplog.text
