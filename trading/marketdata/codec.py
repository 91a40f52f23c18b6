"""Ticks as bytes: msgpack arrays by msgspec, the newest of an instrument or a batch of many."""

import msgspec

from trading.domain.ticks import Tick
from trading.ports import TickBatch

_encoder = msgspec.msgpack.Encoder()
_batch = msgspec.msgpack.Decoder(tuple[int | None, tuple[Tick, ...]])
_tick = msgspec.msgpack.Decoder(Tick)


def encode_batch(batch: TickBatch) -> bytes:
    """Pack a batch: [step, [[token, ltp, exchange_ts, open, high, low, close, volume], ...]]."""
    return _encoder.encode((batch.step, batch.ticks))


def decode_batch(packed: bytes) -> TickBatch:
    """Unpack a batch. Raises msgspec.DecodeError for bytes that are none."""
    step, ticks = _batch.decode(packed)
    return TickBatch(ticks=ticks, step=step)


def encode_tick(tick: Tick) -> bytes:
    """Pack one tick as an array of its eight integers."""
    return _encoder.encode(tick)


def decode_tick(packed: bytes) -> Tick:
    """Unpack one tick. Raises msgspec.DecodeError for bytes that are none."""
    return _tick.decode(packed)
