"""Kite's binary ticker packets, big-endian. Source: KiteTicker of kiteconnect 5.2.2 (`_parse_binary`)."""

import struct
from collections.abc import Sequence

from trading.exchange.market.quotes import Level, Quote

LTP = "ltp"
QUOTE = "quote"
FULL = "full"
MODES = (LTP, QUOTE, FULL)
HEARTBEAT = b"\x00"

_CDS, _BCD, _INDICES, _NCO = 3, 6, 9, 12
_MOST_U32 = 2**32 - 1
_MOST_U16 = 2**16 - 1


def packet(quote: Quote, mode: str) -> bytes:
    """Encode one quote: 8, 44 or 184 bytes, for an index 8, 28 or 32."""
    token = quote.token
    if mode == LTP:
        return struct.pack(">II", token, _wire(quote.ltp, token))
    if token & 0xFF == _INDICES:
        return _index(quote, mode)
    prices = (quote.open, quote.high, quote.low, quote.close)
    head = struct.pack(
        ">11I",
        token,
        _wire(quote.ltp, token),
        _u32(quote.last_quantity),
        _wire(quote.average_price, token),
        _u32(quote.volume),
        _u32(quote.buy_quantity),
        _u32(quote.sell_quantity),
        *(_wire(price, token) for price in prices),
    )
    if mode == QUOTE:
        return head
    interest = (quote.oi, quote.oi_day_high, quote.oi_day_low)
    tail = struct.pack(">5I", quote.last_trade_ms // 1000, *map(_u32, interest), quote.at_ms // 1000)
    return head + tail + _depth(quote.bids, token) + _depth(quote.asks, token)


def _index(quote: Quote, mode: str) -> bytes:
    """Encode an index: high, low, open, close is its own order; the change is what the SDK computes again."""
    token = quote.token
    change = _wire(abs(quote.ltp - quote.close), token)
    prices = (quote.ltp, quote.high, quote.low, quote.open, quote.close)
    body = struct.pack(">7I", token, *(_wire(price, token) for price in prices), change)
    return body if mode == QUOTE else body + struct.pack(">I", quote.at_ms // 1000)


def _depth(levels: Sequence[Level], token: int) -> bytes:
    return b"".join(
        struct.pack(">IIHxx", _u32(level.quantity), _wire(level.price, token), min(level.orders, _MOST_U16))
        for level in levels
    )


def _wire(scaled: int, token: int) -> int:
    """Turn 1/10,000 rupee into the segment's unit: paise, or finer for currencies."""
    segment = token & 0xFF
    if segment == _CDS:
        return scaled * 1000
    if segment in (_BCD, _NCO):
        return scaled
    return (scaled + 50) // 100


def _u32(number: int) -> int:
    return min(number, _MOST_U32)


def frame(packets: Sequence[bytes]) -> bytes:
    """Join packets into one message: their count, then each with its length in front."""
    parts = [struct.pack(">H", len(packets))]
    for one in packets:
        parts += (struct.pack(">H", len(one)), one)
    return b"".join(parts)
