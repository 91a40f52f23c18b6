"""What a day's tape says about a span of it: its first trade, its volume weighted price."""

from bisect import bisect_left
from typing import NamedTuple

from trading.exchange.market.tape import Tape


class Print(NamedTuple):
    """One trade of the tape: scaled price, units, epoch ms of market time."""

    price: int
    quantity: int
    at_ms: int


def print_in(tape: Tape, from_ms: int, until_ms: int) -> Print | None:
    """Give the first trade from `from_ms` up to and with `until_ms`."""
    place = bisect_left(tape.times, from_ms)
    if place == len(tape.times) or tape.times[place] > until_ms:
        return None
    before = tape.volumes[place - 1] if place else 0
    return Print(tape.prices[place], tape.volumes[place] - before, tape.times[place])


def vwap(tape: Tape, from_ms: int, until_ms: int) -> int:
    """Give the volume weighted price of the trades from `from_ms` up to but without `until_ms`; 0 without volume."""
    first, last = bisect_left(tape.times, from_ms), bisect_left(tape.times, until_ms)
    if first == last:
        return 0
    volume, turnover = tape.volumes[last - 1], tape.turnovers[last - 1]
    if first:
        volume, turnover = volume - tape.volumes[first - 1], turnover - tape.turnovers[first - 1]
    return turnover // volume if volume else 0
