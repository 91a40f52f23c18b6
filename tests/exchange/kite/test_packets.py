"""Binary packets, read back by the SDK's own parser."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from kiteconnect import KiteTicker

from tests.exchange.fakes import INFY, NIFTY, quote_of
from trading.exchange.kite.packets import FULL, LTP, QUOTE, frame, packet
from trading.exchange.market.quotes import Quote

AT_MS = 1_795_406_400_000


def parsed(*packets: bytes) -> list[dict[str, Any]]:
    ticks: list[dict[str, Any]] = KiteTicker("key", "token")._parse_binary(frame(packets))
    return ticks


def sample() -> Quote:
    asks = tuple((1487.40 + n / 20, 10 + n) for n in range(5))
    bids = tuple((1487.30 - n / 20, 20 + n) for n in range(5))
    quote = quote_of(
        INFY,
        "1487.35",
        asks=tuple((f"{price:.2f}", units) for price, units in asks),
        bids=tuple((f"{price:.2f}", units) for price, units in bids),
        at_ms=AT_MS,
    )
    return replace(quote, average_price=14_871_234, volume=5_000_000_000, open=14_900_000)


@pytest.mark.parametrize(("mode", "length"), [(LTP, 8), (QUOTE, 44), (FULL, 184)])
def test_a_stock_packet_has_the_length_of_its_mode(mode: str, length: int) -> None:
    assert len(packet(sample(), mode)) == length
    assert parsed(packet(sample(), mode))[0]["mode"] == mode


def test_a_full_packet_says_everything() -> None:
    (tick,) = parsed(packet(sample(), FULL))

    assert tick["last_price"] == 1487.35
    assert tick["average_traded_price"] == 1487.12
    assert tick["volume_traded"] == 2**32 - 1  # the wire holds no more
    assert tick["ohlc"] == {"open": 1490.0, "high": 1492.35, "low": 1482.35, "close": 1500.0}
    assert tick["exchange_timestamp"] == tick["last_trade_time"] == datetime.fromtimestamp(AT_MS / 1000)  # noqa: DTZ006
    assert [(level["price"], level["quantity"]) for level in tick["depth"]["sell"]] == [
        (1487.40, 10),
        (1487.45, 11),
        (1487.50, 12),
        (1487.55, 13),
        (1487.60, 14),
    ]
    assert tick["depth"]["buy"][4] == {"quantity": 24, "price": 1487.10, "orders": 1}


def test_a_full_packet_tells_open_interest_and_its_range_of_the_day() -> None:
    (tick,) = parsed(packet(replace(sample(), oi=1_500, oi_day_high=1_800, oi_day_low=1_200), FULL))

    assert (tick["oi"], tick["oi_day_high"], tick["oi_day_low"]) == (1_500, 1_800, 1_200)


@pytest.mark.parametrize(("mode", "length"), [(LTP, 8), (QUOTE, 28), (FULL, 32)])
def test_an_index_packet_has_its_own_lengths_and_order(mode: str, length: int) -> None:
    index = replace(quote_of(NIFTY, 26_800, close=26_700, at_ms=AT_MS), high=268_500_000, low=266_000_000)

    data = packet(index, mode)
    (tick,) = parsed(data)

    assert len(data) == length
    assert (tick["mode"], tick["tradable"], tick["last_price"]) == (mode, False, 26_800.0)
    if mode != LTP:
        assert tick["ohlc"] == {"open": 26_700.0, "high": 26_850.0, "low": 26_600.0, "close": 26_700.0}


@pytest.mark.parametrize("segment", [1, 2, 3, 4, 5, 6, 7, 12])
def test_every_segments_price_divisor_is_the_sdks(segment: int) -> None:
    quote = replace(sample(), token=1000 * 256 + segment, ltp=832_500)

    assert parsed(packet(quote, LTP))[0]["last_price"] == 83.25


def test_a_frame_holds_several_packets() -> None:
    ticks = parsed(packet(sample(), FULL), packet(quote_of(NIFTY, 26_800), FULL), packet(sample(), LTP))

    assert [tick["instrument_token"] for tick in ticks] == [INFY.token, NIFTY.token, INFY.token]
