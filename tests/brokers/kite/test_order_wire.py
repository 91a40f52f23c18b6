"""Orders on the wire: the SDK's bytes, beside slow reads and sick accounts, once each, within one deadline."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from tests.brokers.kite.conftest import ACCESS_TOKEN, API_KEY
from tests.brokers.kite.fake_kite import FakeKite, data, drips, hangs, raw, says
from trading.brokers.kite.client import KiteBroker
from trading.brokers.kite.errors import KiteAnswer
from trading.brokers.kite.order_wire import MOST_BYTES, OrderWire
from trading.brokers.kite.sdk import KiteConnect
from trading.domain.orders import OrderIntent

ORDER: dict[str, Any] = {
    "variety": "regular",
    "exchange": "NSE",
    "tradingsymbol": "M&M",
    "transaction_type": "SELL",
    "quantity": 25,
    "product": "MIS",
    "order_type": "LIMIT",
    "price": "3012.05",
    "validity": "DAY",
    "tag": "A1b2C3d4E5f6G7",
    "algo_id": None,
}
CHANGE = {"variety": "regular", "quantity": 20, "price": "3011.5", "order_type": "LIMIT", "validity": "DAY"}
BY_SDK: dict[str, Callable[[KiteConnect], Any]] = {
    "place": lambda sdk: sdk.place_order(**ORDER),
    "modify": lambda sdk: sdk.modify_order(order_id="261123000000103", **CHANGE),
    "cancel": lambda sdk: sdk.cancel_order("regular", "261123000000103"),
}
BY_US: dict[str, Callable[[OrderWire], Any]] = {
    "place": lambda wire: wire.place(ORDER),
    "modify": lambda wire: wire.modify("261123000000103", CHANGE),
    "cancel": lambda wire: wire.cancel("regular", "261123000000103"),
}


@pytest.fixture
async def wire(kite: FakeKite) -> AsyncIterator[OrderWire]:
    """Give alice's order calls, with half a second for each."""
    made = OrderWire(API_KEY, ACCESS_TOKEN, root=kite.root, deadline_s=0.5)
    yield made
    await made.close()


@pytest.mark.parametrize("call", sorted(BY_SDK))
async def test_the_bytes_on_the_wire_are_the_sdks(wire: OrderWire, kite: FakeKite, call: str) -> None:
    kite.will(data({"order_id": "1"}))

    await asyncio.to_thread(BY_SDK[call], KiteConnect(API_KEY, ACCESS_TOKEN, root=kite.root))
    await BY_US[call](wire)

    of_sdk, of_us = kite.heard
    assert of_us.raw == of_sdk.raw


async def test_orders_of_one_account_go_out_beside_one_another(wire: OrderWire, kite: FakeKite) -> None:
    kite.will(kite.slowly({"order_id": "1"}, 0.1))

    await asyncio.gather(*(wire.place(ORDER) for _ in range(5)))

    assert (kite.most_at_once, len(kite.heard)) == (5, 5)


@pytest.mark.proves("F55")
async def test_a_read_that_hangs_keeps_no_order_waiting(
    broker: KiteBroker, kite: FakeKite, intent: OrderIntent
) -> None:
    is_read = asyncio.Event()

    async def hangs_for_the_read(writer: asyncio.StreamWriter) -> None:
        is_read.set()
        await hangs(writer)

    kite.will(hangs_for_the_read, data({"order_id": "1"}))
    read = asyncio.create_task(broker.orders())
    await is_read.wait()

    assert await broker.place(intent) == "1"

    assert not read.done()
    read.cancel()


async def test_a_connection_is_kept_for_the_next_order(wire: OrderWire, kite: FakeKite) -> None:
    kite.will(data({"order_id": "1"}))

    for _ in range(3):
        await wire.place(ORDER)

    assert (kite.connections, len(kite.heard)) == (1, 3)


@pytest.mark.proves("F55", "I3")
async def test_a_post_whose_kept_connection_was_closed_is_not_sent_again(wire: OrderWire, kite: FakeKite) -> None:
    async def closes(writer: asyncio.StreamWriter) -> None:
        writer.close()

    kite.will(data({"order_id": "1"}), closes)
    await wire.place(ORDER)

    with pytest.raises(KiteAnswer, match="no answer"):
        await wire.place(ORDER)

    assert len(kite.heard) == 2


@pytest.mark.proves("F55")
@pytest.mark.parametrize("silence", [hangs, drips])
async def test_the_deadline_is_for_the_whole_call(wire: OrderWire, kite: FakeKite, silence: Any) -> None:
    kite.will(silence)

    with pytest.raises(KiteAnswer, match=r"no answer within 0\.5 s"):
        await wire.place(ORDER)


async def test_an_answer_without_end_is_not_kept(wire: OrderWire, kite: FakeKite) -> None:
    kite.will(raw("200 OK\r\nContent-Type: application/json", b" " * (MOST_BYTES + 1)))

    with pytest.raises(KiteAnswer, match="more than 1000000 bytes"):
        await wire.place(ORDER)


async def test_a_redirect_is_not_followed(wire: OrderWire, kite: FakeKite) -> None:
    kite.will(raw(f"307 Temporary Redirect\r\nLocation: {kite.root}/elsewhere\r\nContent-Type: text/html"))

    with pytest.raises(KiteAnswer, match="HTTP 307"):
        await wire.place(ORDER)

    assert len(kite.heard) == 1


async def test_cookies_are_neither_kept_nor_sent(wire: OrderWire, kite: FakeKite) -> None:
    body = b'{"status": "success", "data": {"order_id": "1"}}'
    kite.will(raw("200 OK\r\nContent-Type: application/json\r\nSet-Cookie: public_token=stolen", body))

    for _ in range(2):
        await wire.place(ORDER)

    assert all("cookie" not in one.headers for one in kite.heard)


@pytest.mark.proves("F32")
async def test_orders_leave_from_the_registered_address(kite: FakeKite) -> None:
    callers: list[str] = []

    async def notes(writer: asyncio.StreamWriter) -> None:
        callers.append(writer.get_extra_info("peername")[0])
        await says({"status": "success", "data": {"order_id": "1"}})(writer)

    kite.will(notes)
    wire = OrderWire(API_KEY, ACCESS_TOKEN, root=kite.root, deadline_s=2.0, egress_ip="127.0.0.2")

    await wire.place(ORDER)
    await wire.close()

    assert callers == ["127.0.0.2"]
