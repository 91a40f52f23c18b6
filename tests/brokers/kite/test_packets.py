"""Binary frames, decoded as the SDK decodes them, without its floats."""

import base64
import struct
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.mocks import MOCKS, needs_mocks
from trading.brokers.kite.packets import decode_frame, is_tick_frame
from trading.brokers.kite.sdk import KiteTicker
from trading.domain.money import to_scaled
from trading.domain.ticks import Tick

NSE, NFO, CDS, BCD, INDICES = 1, 2, 3, 6, 9


def frame(*packets: bytes) -> bytes:
    """Join packets as the broker does."""
    return struct.pack(">H", len(packets)) + b"".join(struct.pack(">H", len(one)) + one for one in packets)


def full(token: int, numbers: list[int]) -> bytes:
    """Make a full packet: token, then 15 numbers of the head, then an empty book."""
    return struct.pack(">16I", token, *numbers) + bytes(120)


def by_the_sdk(message: bytes) -> list[dict[str, Any]]:
    """Decode with the SDK itself."""
    ticks: list[dict[str, Any]] = KiteTicker("key", "token")._parse_binary(message)
    return ticks


@given(
    number=st.integers(min_value=1, max_value=2**23),
    segment=st.sampled_from([NSE, NFO, BCD]),
    numbers=st.lists(st.integers(min_value=0, max_value=10**9), min_size=15, max_size=15),
)
def test_a_full_packet_says_what_the_sdk_says(number: int, segment: int, numbers: list[int]) -> None:
    message = frame(full(number * 256 + segment, numbers))

    (tick,), (theirs,) = decode_frame(message), by_the_sdk(message)

    assert tick.token == theirs["instrument_token"]
    assert tick.ltp == to_scaled(Decimal(str(theirs["last_price"])))
    assert {name: to_scaled(Decimal(str(value))) for name, value in theirs["ohlc"].items()} == {
        "open": tick.open,
        "high": tick.high,
        "low": tick.low,
        "close": tick.close,
    }
    assert tick.volume == theirs["volume_traded"]
    assert tick.exchange_ts == theirs["exchange_timestamp"].timestamp()


@given(numbers=st.lists(st.integers(min_value=0, max_value=10**9), min_size=7, max_size=7))
def test_an_index_has_its_own_order_of_prices(numbers: list[int]) -> None:
    message = frame(struct.pack(">8I", 256256 + INDICES, *numbers))

    (tick,), (theirs,) = decode_frame(message), by_the_sdk(message)

    assert {name: to_scaled(Decimal(str(value))) for name, value in theirs["ohlc"].items()} == {
        "open": tick.open,
        "high": tick.high,
        "low": tick.low,
        "close": tick.close,
    }
    assert (tick.ltp, tick.volume) == (to_scaled(Decimal(str(theirs["last_price"]))), 0)
    assert tick.exchange_ts == theirs["exchange_timestamp"].timestamp()


def test_currency_prices_are_exact_to_their_quarter_of_a_paisa() -> None:
    usdinr = full(412672 + CDS, [842_475_000, *[0] * 14])

    assert decode_frame(frame(usdinr))[0].ltp == to_scaled(Decimal("84.2475"))


@pytest.mark.proves("F05", database="none")
def test_a_last_price_below_zero_is_no_huge_one() -> None:
    shown = [2**32 - 1, 2**31, 2**31 - 1]
    packets = [full(256 + NSE, [paise] + [10_000] * 14) for paise in shown]
    index = struct.pack(">8I", 256 + INDICES, shown[0], *[10_000] * 6)

    assert [tick.ltp for tick in decode_frame(frame(*packets))] == [-100, -(2**31) * 100, (2**31 - 1) * 100]
    assert [tick.ltp for tick in decode_frame(frame(index))] == [-100]


def test_a_frame_of_many_packets_keeps_their_order() -> None:
    packets = [full(n * 256 + NSE, [n] * 15) for n in range(1, 51)]

    assert [tick.token for tick in decode_frame(frame(*packets))] == [n * 256 + NSE for n in range(1, 51)]


def test_packets_without_the_exchanges_time_become_no_ticks() -> None:
    ltp = struct.pack(">2I", 408065, 150_000)
    quote = struct.pack(">11I", 408065, *[150_000] * 10)
    index_quote = struct.pack(">7I", 256265, *[150_000] * 6)

    assert decode_frame(frame(ltp, quote, index_quote, full(408065, [150_000] * 15))) == [
        Tick(408065, 15_000_000, 150_000, 15_000_000, 15_000_000, 15_000_000, 15_000_000, 150_000)
    ]


def test_a_heartbeat_is_no_tick_frame() -> None:
    assert not is_tick_frame(b"\x00")
    assert decode_frame(b"\x00") == []
    assert is_tick_frame(frame(b"x"))


def test_a_frame_that_is_cut_gives_what_was_whole() -> None:
    whole = frame(full(408065, [1] * 15), full(779521, [2] * 15))

    for length in range(len(whole)):
        ticks = decode_frame(whole[:length])
        assert [tick.token for tick in ticks] == ([408065] if length >= 188 else [])


@given(st.binary(max_size=400))
def test_no_frame_whatever_breaks_the_decoder(message: bytes) -> None:
    decode_frame(message)


@needs_mocks
def test_the_brokers_own_recorded_packet_is_read() -> None:
    packet = base64.b64decode((MOCKS / "ticker_full.packet").read_text())

    (tick,) = decode_frame(frame(packet))

    assert tick == Tick(
        token=408065,
        ltp=to_scaled(Decimal("1573.70")),
        exchange_ts=1_625_461_887,
        open=to_scaled(Decimal("1569.15")),
        high=to_scaled(Decimal(1575)),
        low=to_scaled(Decimal("1561.05")),
        close=to_scaled(Decimal("1567.80")),
        volume=1_192_471,
    )
