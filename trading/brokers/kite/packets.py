"""Kite's binary market-data frames, decoded straight into ticks: integers in, integers out, no float.

Source: KiteTicker of kiteconnect 5.2.2 (`_split_packets`, `_parse_binary`), checked against it by a test.
Only packets with the exchange's time become ticks (full mode: 184 bytes, 32 for an index); others cannot
be judged for age. A frame that is cut gives what was whole.
"""

import struct
from collections.abc import Iterator

from trading.domain.ticks import Tick

FULL_BYTES, INDEX_FULL_BYTES = 184, 32
SMALLEST_TICK_FRAME = 5
"""KiteTicker takes frames of up to 4 bytes for heartbeats."""

CDS_SEGMENT, FINE_SEGMENTS = 3, frozenset({6, 12})
_SHORT = struct.Struct(">H")
_FULL = struct.Struct(">Ii8xI8x4I16xI")
_INDEX = struct.Struct(">Ii4I4xI")
"""The last price is signed here, where the SDK reads every field unsigned: below zero it would be a huge one, and two
of them running the second word for each other."""


def is_tick_frame(frame: bytes) -> bool:
    """Tell a frame with packets from a heartbeat."""
    return len(frame) >= SMALLEST_TICK_FRAME


def decode_frame(frame: bytes) -> list[Tick]:
    """Give the ticks of one binary frame, in its order."""
    if not is_tick_frame(frame):
        return []
    ticks: list[Tick] = []
    place, end = 2, len(frame)
    for _ in range(_SHORT.unpack_from(frame)[0]):  # `_spans` written out: a sixth of the time of the hottest loop
        if place + 2 > end:
            break
        length = _SHORT.unpack_from(frame, place)[0]
        start, place = place + 2, place + 2 + length
        if place > end:
            break
        if length == FULL_BYTES:
            ticks.append(_tradable(frame, start))
        elif length == INDEX_FULL_BYTES:
            ticks.append(_index(frame, start))
    return ticks


def split_frame(frame: bytes) -> list[tuple[int, bytes]]:
    """Give (token, packet) of each full packet of one binary frame, untouched, in its order."""
    if not is_tick_frame(frame):
        return []
    return [
        (int.from_bytes(frame[start : start + 4], "big"), frame[start : start + length])
        for start, length in _spans(frame)
        if length in (FULL_BYTES, INDEX_FULL_BYTES)
    ]


def _spans(frame: bytes) -> Iterator[tuple[int, int]]:
    """Yield (start, length) of each packet that is whole."""
    place, end = 2, len(frame)
    for _ in range(_SHORT.unpack_from(frame)[0]):
        if place + 2 > end:
            return
        length = _SHORT.unpack_from(frame, place)[0]
        start, place = place + 2, place + 2 + length
        if place > end:
            return
        yield start, length


def _tradable(frame: bytes, start: int) -> Tick:
    token, ltp, volume, open_, high, low, close, exchange_ts = _FULL.unpack_from(frame, start)
    segment = token & 0xFF
    if segment == CDS_SEGMENT:
        ltp, open_, high, low, close = ltp // 1000, open_ // 1000, high // 1000, low // 1000, close // 1000
    elif segment not in FINE_SEGMENTS:
        ltp, open_, high, low, close = ltp * 100, open_ * 100, high * 100, low * 100, close * 100
    return Tick(token, ltp, exchange_ts, open_, high, low, close, volume)


def _index(frame: bytes, start: int) -> Tick:
    token, ltp, high, low, open_, close, exchange_ts = _INDEX.unpack_from(frame, start)
    return Tick(token, ltp * 100, exchange_ts, open_ * 100, high * 100, low * 100, close * 100, 0)
