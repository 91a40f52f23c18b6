"""Any bar becomes ticks that keep its four prices."""

import random

from tests.exchange.market.conftest import DAY
from trading.exchange.market.bar import Bar
from trading.exchange.market.hours import MINUTE_MS, OPEN_OFFSET_MS, DayHours, midnight_ms
from trading.exchange.market.listing import PROFILES, index
from trading.exchange.market.tape import make_tape

OPEN_MS = midnight_ms(DAY) + OPEN_OFFSET_MS
HOURS = DayHours(((OPEN_MS, OPEN_MS + 375 * MINUTE_MS),))
SHARE = PROFILES[2].listing


def random_bars(count: int) -> list[Bar]:
    rng = random.Random(4)
    bars = []
    for place in range(count):
        low = rng.randrange(9_000, 11_000)
        high = low + rng.choice([0, 0, 1, 2, 5, 40, 400])
        opened, close = rng.randint(low, high), rng.randint(low, high)
        step = SHARE.step
        volume = rng.choice([1, 2, 3, 7, 100, 54_321])
        bars.append(Bar(OPEN_MS + place * MINUTE_MS, opened * step, high * step, low * step, close * step, volume))
    return bars


def test_any_bar_keeps_its_open_high_low_close_and_volume() -> None:
    bars = random_bars(375)

    tape = make_tape(SHARE, bars, HOURS, 1, "day")

    before = 0
    for bar in bars:
        rows = [
            (price, volume)
            for at_ms, price, volume in zip(tape.times, tape.prices, tape.volumes, strict=True)
            if bar.start_ms <= at_ms < bar.start_ms + MINUTE_MS
        ]
        prices = [price for price, _ in rows]
        assert (prices[0], max(prices), min(prices), prices[-1]) == bar[1:5]
        assert all(price % SHARE.step == 0 for price in prices)
        assert rows[-1][1] - before == bar.volume
        before = rows[-1][1]


def test_ticks_are_at_whole_seconds_and_never_twice_in_one() -> None:
    tape = make_tape(SHARE, random_bars(375), HOURS, 1, "day")

    assert all(at_ms % 1000 == 0 for at_ms in tape.times)
    assert len(set(tape.times)) == len(tape.times)


def test_a_share_minute_without_volume_is_silence_and_an_index_minute_is_not() -> None:
    bars = [Bar(OPEN_MS, 1000, 1000, 1000, 1000, 0)]

    assert len(make_tape(SHARE, bars, HOURS, 1, "day").times) == 0
    assert len(make_tape(index("NIFTY 50"), bars, HOURS, 1, "day").times) > 0


def test_a_flat_bar_outside_continuous_trading_is_one_print() -> None:
    late = OPEN_MS + 380 * MINUTE_MS
    bars = [Bar(OPEN_MS, 1000, 2000, 1000, 2000, 50), Bar(late, 3000, 3000, 3000, 3000, 90_000)]

    tape = make_tape(SHARE, bars, HOURS, 1, "day")

    assert [price for at_ms, price in zip(tape.times, tape.prices, strict=True) if at_ms >= late] == [3000]
    assert tape.volumes[-1] == 90_050


def test_a_rising_bar_mostly_touches_its_low_first() -> None:
    rising = [Bar(OPEN_MS + place * MINUTE_MS, 5000, 9000, 1000, 6000, 500) for place in range(300)]

    tape = make_tape(SHARE, rising, HOURS, 1, "day")

    low_first = 0
    for bar in rising:
        minute = [p for t, p in zip(tape.times, tape.prices, strict=True) if t - t % MINUTE_MS == bar.start_ms]
        low_first += minute.index(1000) < minute.index(9000)
    assert 180 < low_first < 260
