"""Real prices on their way in: a market moment, then one frame of Kite's full packets as the broker sent them.

Message: 8 bytes of epoch milliseconds (the feeder's market time), then the frame that KiteTicker reads: a count and
so many packets, each with its length in front; big-endian. Only full packets count (184 bytes, an index 32): others
have no time of the exchange and no depth. Source of the layouts: KiteTicker of kiteconnect 5.2.2 (`_parse_binary`).
"""

import struct
from typing import Final

from trading.domain.instruments import Instrument, InstrumentType
from trading.domain.money import to_scaled
from trading.exchange.market.listing import circuits
from trading.exchange.market.livequote import NO_DEPTH, LiveQuote
from trading.exchange.market.quotes import Level

FULL_BYTES: Final = 184
INDEX_FULL_BYTES: Final = 32
SHARE_BAND_PERCENT: Final = 20
"""Packets carry no circuits. Assumed: a share's band is 20 % around yesterday's close, a derivative has none."""
WIDEST_PRICE: Final = 2**32

_TIME = struct.Struct(">Q")
_SHORT = struct.Struct(">H")
_HEAD = struct.Struct(">11I")
_TAIL = struct.Struct(">5I")
_LEVEL = struct.Struct(">IIHxx")
_INDEX = struct.Struct(">8I")
_CDS, _FINE = 3, frozenset({6, 12})


def read_message(message: bytes) -> tuple[int, list[bytes]]:
    """Give (epoch ms, packets). Raises ValueError for a message that is cut or has something behind its end."""
    try:
        (now_ms,) = _TIME.unpack_from(message)
        (count,) = _SHORT.unpack_from(message, _TIME.size)
        place, packets = _TIME.size + _SHORT.size, []
        for _ in range(count):
            (length,) = _SHORT.unpack_from(message, place)
            place += _SHORT.size
            packets.append(message[place : place + length])
            place += length
    except struct.error as error:
        raise ValueError(f"a message of prices was cut after {len(message)} bytes") from error
    if place != len(message):
        raise ValueError(f"a message of prices was {len(message)} bytes long, its packets end at {place}")
    return now_ms, packets


def token_of(packet: bytes) -> int:
    """Give the packet's instrument. Raises ValueError unless it is a full one."""
    if len(packet) not in (FULL_BYTES, INDEX_FULL_BYTES):
        raise ValueError(f"a packet must be full ({FULL_BYTES} bytes, an index {INDEX_FULL_BYTES}), was {len(packet)}")
    return int.from_bytes(packet[:4], "big")


def read_quote(packet: bytes, instrument: Instrument, serial: int) -> LiveQuote:
    """Read one full packet of this instrument. Raises ValueError for one of the wrong length."""
    is_index = instrument.instrument_type is InstrumentType.INDEX
    if (len(packet) == INDEX_FULL_BYTES) is not is_index:
        raise ValueError(f"{instrument.key} cannot have a packet of {len(packet)} bytes")
    return _index(packet, serial) if is_index else _tradable(packet, instrument, serial)


def _tradable(packet: bytes, instrument: Instrument, serial: int) -> LiveQuote:
    token, ltp, last_quantity, average, volume, wanted_all, offered_all, *prices = _HEAD.unpack_from(packet)
    traded_s, oi, oi_high, oi_low, at_s = _TAIL.unpack_from(packet, _HEAD.size)
    levels = [
        Level(_scaled(price, token), quantity, orders)
        for quantity, price, orders in _LEVEL.iter_unpack(packet[_HEAD.size + _TAIL.size :])
    ]
    opened, high, low, close = (_scaled(price, token) for price in prices)
    step = to_scaled(instrument.tick_size)
    lower, upper = _circuits(instrument, close, step)
    offered = tuple(level for level in levels[5:] if level.quantity)
    return LiveQuote(
        token=token,
        ltp=_scaled(ltp, token),
        last_quantity=last_quantity,
        average_price=_scaled(average, token),
        volume=volume,
        open=opened,
        high=high,
        low=low,
        close=close,
        last_trade_ms=traded_s * 1000,
        at_ms=at_s * 1000,
        lower_circuit=lower,
        upper_circuit=upper,
        oi=oi,
        oi_day_high=oi_high,
        oi_day_low=oi_low,
        depth=NO_DEPTH,
        serial=serial,
        is_bought=bool(offered) and _scaled(ltp, token) >= offered[0].price,
        wanted=tuple(level for level in levels[:5] if level.quantity),
        offered=offered,
        wanted_in_all=wanted_all,
        offered_in_all=offered_all,
        step=step,
    )


def _index(packet: bytes, serial: int) -> LiveQuote:
    token, ltp, high, low, opened, close, _, at_s = _INDEX.unpack(packet)
    return LiveQuote(
        token=token,
        ltp=ltp * 100,
        last_quantity=0,
        average_price=0,
        volume=0,
        open=opened * 100,
        high=high * 100,
        low=low * 100,
        close=close * 100,
        last_trade_ms=at_s * 1000,
        at_ms=at_s * 1000,
        lower_circuit=0,
        upper_circuit=0,
        oi=0,
        depth=NO_DEPTH,
        serial=serial,
        is_bought=False,
    )


def _scaled(wire: int, token: int) -> int:
    """Turn the segment's unit (paise, or finer for currencies) into 1/10,000 rupee."""
    segment = token & 0xFF
    if segment == _CDS:
        return wire // 1000
    return wire if segment in _FINE else wire * 100


def _circuits(instrument: Instrument, close: int, step: int) -> tuple[int, int]:
    if instrument.instrument_type is InstrumentType.EQ and close:
        return circuits(close, SHARE_BAND_PERCENT, step)
    return step, WIDEST_PRICE // step * step
