"""Ticks as bytes."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.marketdata.made import tick
from trading.domain.ticks import Tick
from trading.marketdata.codec import decode_batch, decode_tick, encode_batch, encode_tick
from trading.ports import TickBatch

NUMBERS = st.integers(min_value=0, max_value=2**63 - 1)
TICKS = st.builds(Tick, *[NUMBERS] * 8)


@given(st.lists(TICKS, max_size=20), st.none() | NUMBERS)
def test_a_batch_comes_back_as_it_was(ticks: list[Tick], step: int | None) -> None:
    batch = TickBatch(tuple(ticks), step)

    assert decode_batch(encode_batch(batch)) == batch


@given(TICKS)
def test_a_tick_comes_back_as_it_was(one: Tick) -> None:
    assert decode_tick(encode_tick(one)) == one


@pytest.mark.parametrize("packed", [b"", b"\x00", b"\x92\xc0\x91\x01", encode_tick(tick())])
def test_bytes_that_are_no_batch_are_told(packed: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_batch(packed)


def test_a_step_in_which_nothing_moved_is_a_batch_too() -> None:
    assert decode_batch(encode_batch(TickBatch((), 7))) == TickBatch((), 7)
