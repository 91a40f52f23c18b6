"""What waits for the reader of a ticker socket: bounded, in order, the newest of each instrument."""

import asyncio
import struct

import pytest

from trading.exchange.kite import connection as module
from trading.exchange.kite import packets
from trading.exchange.kite.connection import Connection


def price_packet(token: int, price: int) -> bytes:
    return struct.pack(">II", token, price)


def prices(frame: bytes | str) -> dict[int, int]:
    assert isinstance(frame, bytes)
    return dict(struct.unpack(">II", packet) for packet in packets.parts(frame))


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Connection:
    """A connection to tokens 1 to 3, of which a hundred bytes may wait."""
    monkeypatch.setattr(module, "MOST_TICKS_WAITING", 100)
    made = Connection("AB1001", "key")
    made.modes = dict.fromkeys((1, 2, 3), "ltp")
    return made


async def everything(connection: Connection) -> list[bytes | str]:
    got = []
    while True:
        try:
            async with asyncio.timeout(0.05):
                got.append(await connection.next())
        except TimeoutError:
            return got


async def test_a_reader_that_keeps_up_gets_every_frame_as_it_was_sent(slow: Connection) -> None:
    sent = [packets.frame([price_packet(1, step), price_packet(2, step)]) for step in range(50)]
    got = []
    for frame in sent:
        slow.send_ticks(frame)
        got.append(await slow.next())

    assert got == sent
    assert slow.tick_frames == 50


async def test_behind_a_long_queue_only_the_newest_price_of_each_instrument_waits(slow: Connection) -> None:
    for step in range(1, 1001):
        slow.send_ticks(packets.frame([price_packet(1, step)]))
        if step == 500:
            slow.send_ticks(packets.frame([price_packet(2, step)]))

    got = await everything(slow)

    whole = [prices(frame)[1] for frame in got[:-1]]
    assert whole == list(range(1, len(whole) + 1))
    assert prices(got[-1]) == {1: 1000, 2: 500}
    assert sum(len(frame) for frame in got) < 200
    assert slow.tick_frames == len(got)


async def test_after_it_caught_up_frames_go_out_whole_again(slow: Connection) -> None:
    for step in range(100):
        slow.send_ticks(packets.frame([price_packet(1, step)]))
    await everything(slow)

    for step in (200, 201):
        slow.send_ticks(packets.frame([price_packet(1, step)]))

    assert [prices(frame) for frame in await everything(slow)] == [{1: 200}, {1: 201}]


async def test_what_is_unsubscribed_meanwhile_is_not_sent_and_not_counted(slow: Connection) -> None:
    for step in range(100):
        slow.send_ticks(packets.frame([price_packet(1, step)]))
    counted = slow.tick_frames
    slow.modes.clear()

    got = await everything(slow)

    assert len(got) == slow.tick_frames == counted - 1


async def test_order_messages_are_never_joined_and_go_out_between_the_ticks(slow: Connection) -> None:
    for step in range(1000):
        slow.send_ticks(packets.frame([price_packet(1, step)]))
        slow.send_order(f"order {step}")

    got = await everything(slow)

    assert [text for text in got if isinstance(text, str)] == [f"order {step}" for step in range(1000)]
    assert prices(got[-1]) == {1: 999}


async def test_too_many_order_messages_cut_the_connection(slow: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_ORDERS_WAITING", 10)
    cuts: list[str] = []
    slow.give_up = lambda: cuts.append("cut")

    for step in range(11):
        slow.send_order(f"order {step}")

    assert cuts == ["cut"]
    assert len(await everything(slow)) == 10
