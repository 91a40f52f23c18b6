"""The bundled market's day: repeatable, on the grid, inside its bands, with both kinds of closing."""

import time
from datetime import date
from hashlib import sha256
from itertools import pairwise

import pytest

from tests.exchange.known_days import known_market
from tests.exchange.market.conftest import DAY, last_day
from trading.exchange.market import Market, make_market
from trading.exchange.market.calendar_hours import CalendarHours
from trading.exchange.market.generated import GeneratedSource
from trading.exchange.market.hours import MINUTE_MS, midnight_ms

GOLDEN = "313faa24af480a4f"


def fingerprint(market: Market) -> str:
    digest = sha256()
    for at_ms in market.step_times[:3000]:
        for quote in market.advance(at_ms):
            digest.update(repr((quote, quote.bids, quote.asks)).encode())
    return digest.hexdigest()


def tapes(market: Market) -> str:
    parts = (state.tape for state in market._states.values())
    return sha256(repr([[column.tolist() for column in tape] for tape in parts]).encode()).hexdigest()


def clock(at_ms: int) -> str:
    minutes, seconds = divmod((at_ms - midnight_ms(DAY)) // 1000, 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}"


def times_of(market: Market, key: str) -> list[str]:
    instrument = market.by_key(key)
    assert instrument is not None
    return [clock(at_ms) for at_ms in market._states[instrument.token].tape.times]


def test_the_same_seed_gives_the_same_quotes_and_books() -> None:
    assert fingerprint(make_market(DAY, 5)) == fingerprint(make_market(DAY, 5))


def test_another_seed_gives_another_day() -> None:
    assert tapes(make_market(DAY, 5)) != tapes(make_market(DAY, 6))


def test_the_day_is_the_same_on_every_machine_and_python(finished: Market) -> None:
    # Changes with every change of the model or the calibration; then put in the new value.
    assert tapes(finished)[:16] == GOLDEN


@pytest.mark.parametrize("stride", [1, 60, 1000])
def test_moving_in_small_or_in_big_steps_ends_in_the_same_state(finished: Market, stride: int) -> None:
    market = known_market(DAY, 1)

    for at_ms in [*market.step_times[::stride], market.step_times[-1]]:
        market.advance(at_ms)

    assert all(market.quote(token) == finished.quote(token) for token in market.universe)


def test_a_quote_comes_only_for_an_instrument_that_traded_since() -> None:
    market = known_market(DAY, 1)
    opened = midnight_ms(DAY) + (9 * 60 + 15) * MINUTE_MS

    first = {quote.token for quote in market.advance(opened)}
    again = market.advance(opened)

    assert first == set(market.universe)
    assert again == []


def test_yesterdays_close_is_the_last_price_before_the_first_trade() -> None:
    market = known_market(DAY, 1)

    for token in market.universe:
        quote = market.quote(token)
        assert (quote.ltp, quote.open, quote.volume) == (quote.close, 0, 0)
        assert quote.close == int(last_day(market, token)[2] * 10_000)
        assert 0 < quote.last_trade_ms < midnight_ms(DAY)


def test_every_price_is_on_the_grid_and_inside_the_circuits(finished: Market) -> None:
    for token, state in finished._states.items():
        quote = finished.quote(token)
        prices = state.tape.prices
        assert all(price % state.listing.step == 0 for price in prices)
        if not state.listing.is_index:
            assert quote.lower_circuit <= min(prices) <= max(prices) <= quote.upper_circuit


def test_the_quote_holds_the_open_high_low_and_average_of_all_trades(finished: Market) -> None:
    for token, state in finished._states.items():
        quote, prices = finished.quote(token), state.tape.prices
        assert (quote.open, quote.high, quote.low, quote.ltp) == (prices[0], max(prices), min(prices), prices[-1])
        if quote.volume:
            assert quote.low <= quote.average_price <= quote.high


def test_every_minute_bar_of_the_day_is_touched_at_its_open_high_low_and_close(finished: Market) -> None:
    for token, state in finished._states.items():
        by_minute: dict[int, list[int]] = {}
        for at_ms, price in zip(state.tape.times, state.tape.prices, strict=True):
            by_minute.setdefault(at_ms - at_ms % MINUTE_MS, []).append(price)
        for bar in finished._source.bars(token, DAY):
            seen = by_minute[bar.start_ms]
            assert (seen[0], max(seen), min(seen), seen[-1]) == (bar.open, bar.high, bar.low, bar.close)


def test_volume_only_rises_and_adds_up_to_the_bars(finished: Market) -> None:
    for token, state in finished._states.items():
        volumes = state.tape.volumes
        assert all(later >= before for before, later in pairwise(volumes))
        assert volumes[-1] == sum(bar.volume for bar in finished._source.bars(token, DAY))


def test_a_share_with_a_closing_auction_is_silent_from_1515_and_prints_once_in_the_matching_phase(
    finished: Market,
) -> None:
    times = times_of(finished, "NSE:RELIANCE")

    after = [at for at in times if at >= "15:15:00"]

    assert len(after) == 1
    assert "15:30:00" <= after[0] < "15:35:00"
    assert times[-2] > "15:14:00"


def test_a_share_without_derivatives_and_an_index_trade_until_half_past_three(finished: Market) -> None:
    for key in ("NSE:ABBOTINDIA", "NSE:GILLETTE", "NSE:NIFTY 50"):
        assert "15:29:00" <= times_of(finished, key)[-1] < "15:30:00"


def test_before_the_closing_auction_regime_all_shares_trade_until_half_past_three() -> None:
    market = make_market(date(2026, 7, 31), 1)

    last = market._states[738561].tape.times[-1]

    assert (last - midnight_ms(date(2026, 7, 31))) // MINUTE_MS == 15 * 60 + 29


def test_the_opening_auction_prints_between_order_entry_and_the_open(finished: Market) -> None:
    times = times_of(finished, "NSE:INFY")

    assert "09:10:00" <= times[0] < "09:12:00"
    assert times[1] == "09:15:00"


def test_a_special_saturday_trades_in_two_parts() -> None:
    saturday = date(2024, 5, 18)
    market = make_market(saturday, 1)

    minutes = {(at_ms - midnight_ms(saturday)) // MINUTE_MS for at_ms in market._states[738561].tape.times}

    assert not minutes & set(range(10 * 60, 11 * 60 + 30))
    assert {9 * 60 + 15, 12 * 60 + 29} <= minutes
    assert max(minutes) < 12 * 60 + 30


def test_liquid_shares_trade_in_about_half_of_the_seconds_and_illiquid_ones_seldom(finished: Market) -> None:
    share = {
        state.listing.instrument.tradingsymbol: len(state.tape.times) / 22_500 for state in finished._states.values()
    }

    assert all(0.38 < share[symbol] < 0.62 for symbol in ("RELIANCE", "INFY", "HDFCBANK", "ICICIBANK", "SBIN", "LT"))
    assert all(0.05 < share[symbol] < 0.2 for symbol in ("ABBOTINDIA", "GILLETTE"))


def test_the_steps_are_whole_seconds_in_order_and_hold_every_trade_and_phase_change(finished: Market) -> None:
    steps = list(finished.step_times)

    assert steps == sorted(set(steps))
    assert all(at_ms % 1000 == 0 for at_ms in steps)
    assert {clock(at_ms) for at_ms in steps} >= {"09:00:00", "09:15:00", "15:15:00", "15:20:00", "15:30:00", "15:40:00"}
    assert set(finished._states[738561].tape.times) <= set(steps)


def test_a_day_looked_back_at_is_the_day_that_was_traded(finished: Market) -> None:
    tomorrow = GeneratedSource(date(2026, 11, 25), 1, CalendarHours())

    for token in finished.universe:
        assert tomorrow.bars(token, DAY) == finished._source.bars(token, DAY)
        assert tomorrow.bars(token, DAY)[-1].close == finished.quote(token).ltp


def test_the_universe_has_shares_with_and_without_derivatives_and_two_indices(finished: Market) -> None:
    instruments = finished.universe.values()

    assert {each.tradingsymbol for each in instruments if each.has_derivatives} == {
        "RELIANCE", "INFY", "HDFCBANK", "ICICIBANK", "TATAMOTORS", "SBIN", "AXISBANK", "LT",
    }  # fmt: skip
    assert {each.tradingsymbol: each.token for each in instruments if not each.is_tradable} == {
        "NIFTY 50": 256265, "NIFTY BANK": 260105,
    }  # fmt: skip
    assert finished.by_key("NSE:INFY") is finished.universe[408065]
    assert finished.by_key("NSE:NOTHERE") is None


@pytest.mark.parametrize("day", [date(2026, 11, 21), date(2026, 11, 24), date(2027, 1, 4), date(2023, 8, 1)])
def test_a_holiday_a_weekend_or_an_unknown_year_is_refused(day: date) -> None:
    with pytest.raises(ValueError, match="no trading day of the calendar"):
        make_market(day, 1)


def test_a_generated_market_must_be_told_its_day() -> None:
    with pytest.raises(ValueError, match="needs a day"):
        make_market()


def test_a_day_is_prepared_within_two_seconds_and_a_quote_costs_less_than_a_fifth_of_a_millisecond() -> None:
    begun = time.process_time()
    market = make_market(DAY, 9)
    prepared = time.process_time()
    count = sum(len(market.advance(at_ms)) for at_ms in market.step_times)
    done = time.process_time()

    assert prepared - begun < 2.0
    assert (done - prepared) / count < 0.0002
