"""Kite's binary ticker packets, big-endian. Source: KiteTicker of kiteconnect 5.2.2 (`_parse_binary`)."""

import struct
from collections.abc import Callable, Iterator, Sequence

from trading.exchange.market.quotes import Quote

LTP = "ltp"
QUOTE = "quote"
FULL = "full"
MODES = (LTP, QUOTE, FULL)
HEARTBEAT = b"\x00"

_CDS, _BCD, _INDICES, _NCO = 3, 6, 9, 12
_MOST_U32 = 2**32 - 1
_MOST_U16 = 2**16 - 1


_LENGTHS = {length: length.to_bytes(2) for length in (8, 28, 32, 44, 184)}
_LTP_BODY = struct.Struct(">II")
_QUOTE_BODY = struct.Struct(">11I")
_FULL_BODY = struct.Struct(">16I" + "IIHxx" * 10)


def packet(quote: Quote, mode: str) -> bytes:
    """Encode one quote: 8, 44 or 184 bytes, for an index 8, 28 or 32."""
    token = quote.token
    if mode == LTP:
        return _LTP_BODY.pack(token, _wire(quote.ltp, token))
    if token & 0xFF == _INDICES:
        return _index(quote, mode)
    picture = quote.picture()
    wire = _wire_of(token)
    head = (
        token,
        wire(quote.ltp),
        _u32(quote.last_quantity),
        wire(quote.average_price),
        _u32(quote.volume),
        _u32(picture.buy_quantity),
        _u32(picture.sell_quantity),
        wire(quote.open),
        wire(quote.high),
        wire(quote.low),
        wire(quote.close),
    )
    if mode == QUOTE:
        return _QUOTE_BODY.pack(*head)
    depth = [
        number
        for price, quantity, orders in picture.bids + picture.asks
        for number in (_u32(quantity), wire(price), orders if orders < _MOST_U16 else _MOST_U16)
    ]
    open_interest = (quote.oi, quote.oi_day_high, quote.oi_day_low)
    return _FULL_BODY.pack(*head, quote.last_trade_ms // 1000, *open_interest, quote.at_ms // 1000, *depth)


def _index(quote: Quote, mode: str) -> bytes:
    """Encode an index: high, low, open, close is its own order; the change is what the SDK computes again."""
    token = quote.token
    change = _wire(abs(quote.ltp - quote.close), token)
    prices = (quote.ltp, quote.high, quote.low, quote.open, quote.close)
    body = struct.pack(">7I", token, *(_wire(price, token) for price in prices), change)
    return body if mode == QUOTE else body + struct.pack(">I", quote.at_ms // 1000)


def _paise(scaled: int) -> int:
    return (scaled + 50) // 100


def _wire_of(token: int) -> Callable[[int], int]:
    """Give what turns 1/10,000 rupee into the segment's unit: paise, or finer for currencies."""
    segment = token & 0xFF
    if segment == _CDS:
        return lambda scaled: scaled * 1000
    if segment in (_BCD, _NCO):
        return lambda scaled: scaled
    return _paise


def _wire(scaled: int, token: int) -> int:
    return _wire_of(token)(scaled)


def _u32(number: int) -> int:
    return number if number < _MOST_U32 else _MOST_U32


def frame(packets: Sequence[bytes]) -> bytes:
    """Join packets into one message: their count, then each with its length in front."""
    return len(packets).to_bytes(2) + b"".join([part for one in packets for part in (_LENGTHS[len(one)], one)])


def parts(frame: bytes) -> Iterator[bytes]:
    """Yield the packets of a message."""
    at = 2
    for _ in range(int.from_bytes(frame[:2])):
        length = int.from_bytes(frame[at : at + 2])
        yield frame[at + 2 : at + 2 + length]
        at += 2 + length


def token_of(packet: bytes) -> int:
    """Give the instrument token of a packet of any mode."""
    return int.from_bytes(packet[:4])
