"""What only the dump lists: priced when asked, following what it stands on, the same at any step."""

import csv
import io
from datetime import date, time, timedelta
from itertools import pairwise

import pytest

from tests.exchange.known_days import known_market
from tests.exchange.market.conftest import DAY
from trading.domain.instruments import InstrumentType
from trading.domain.timezone import at_ist
from trading.exchange.market import Market
from trading.exchange.market.candles import epoch_ms

SEED = 810
NIFTY = 256265
SAMPLE = (
    "NFO:NIFTY26NOVFUT", "NFO:NIFTY26DECFUT", "NFO:NIFTY26D0126750CE", "NFO:NIFTY26D0126750PE", "NFO:NIFTY26DEC24800CE",
    "NFO:RELIANCE26NOVFUT", "NFO:ABB26DECFUT", "NSE:ABB", "NSE:NIFTY FIN SERVICE", "BSE:RELIANCE", "BSE:SENSEX",
    "BFO:SENSEX26NOVFUT", "MCX:GOLD26NOVFUT", "CDS:USDINR26NOVFUT",
)  # fmt: skip


def moment(hour: int, minute: int = 0, second: int = 0) -> int:
    return epoch_ms(at_ist(DAY, time(hour, minute, second)))


def token_of(market: Market, key: str) -> int:
    instrument = market.by_key(key)
    assert instrument is not None, key
    return instrument.token


def option(market: Market, strike: float, kind: str, expiry: str = "26D01") -> str:
    return f"NFO:NIFTY{expiry}{round(strike / 50) * 50}{kind}"


def middle(market: Market, key: str) -> float:
    quote = market.quote(token_of(market, key))
    return (quote.bids[0].price + quote.asks[0].price) / 2 / 10_000


@pytest.fixture(scope="module")
def noon() -> Market:
    """The default seed's day at noon. Read only."""
    market = known_market(DAY, SEED)
    market.advance(moment(12))
    return market


@pytest.fixture(scope="module")
def rows(noon: Market) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(noon.dump_csv().decode())))


def test_any_row_of_the_dump_has_a_quote_on_its_grid_and_inside_its_circuits(
    noon: Market, rows: list[dict[str, str]]
) -> None:
    seen = set()
    for row in rows[::331]:
        token = int(row["instrument_token"])
        quote, instrument = noon.quote(token), noon.instruments[token]
        step = quote.depth.step
        assert instrument.key == f"{row['exchange']}:{row['tradingsymbol']}"
        assert quote.ltp >= step
        assert quote.ltp % step == 0
        assert quote.volume % max(1, instrument.lot_size) == 0
        if instrument.is_tradable:
            assert quote.lower_circuit <= quote.ltp <= quote.upper_circuit, instrument.key
            assert all(higher.price > lower.price for higher, lower in pairwise(filter(any, quote.bids)))
            if quote.bids[0].price and quote.asks[0].price:
                assert quote.bids[0].price < quote.asks[0].price
        if quote.volume:
            assert quote.low <= quote.average_price <= quote.high
        seen.add(row["exchange"])

    assert seen == {"NSE", "BSE", "NFO", "BFO", "MCX", "CDS"}


def test_a_token_that_is_not_listed_has_no_quote(noon: Market) -> None:
    assert 12345 not in noon.instruments
    assert noon.by_key("NFO:NIFTY26NOV12345CE") is None
    with pytest.raises(KeyError):
        noon.quote(12345)


@pytest.mark.parametrize("stride", [1, 60 * 37])
def test_watched_in_small_steps_or_asked_for_once_it_is_the_same_quote(noon: Market, stride: int) -> None:
    market = known_market(DAY, SEED)
    tokens = [token_of(market, key) for key in SAMPLE]
    for token in tokens:
        market.watch(token)

    for at_ms in range(moment(9, 10), moment(9, 30) if stride == 1 else moment(12), stride * 1000):
        market.advance(at_ms)
        for token in tokens:
            market.quote(token)
    if stride == 1:
        late = known_market(DAY, SEED)
        late.advance(moment(9, 29, 59))
    else:
        market.advance(moment(12))
        late = noon

    assert [market.quote(token) for token in tokens] == [late.quote(token) for token in tokens]


def test_only_what_is_watched_comes_with_the_steps(noon: Market) -> None:
    market = known_market(DAY, SEED)
    watched, asked = token_of(market, SAMPLE[0]), token_of(market, SAMPLE[1])
    market.watch(watched)
    market.quote(asked)

    came = [quote for second in range(120) for quote in market.advance(moment(9, 15) + second * 1000)]

    wide = [quote for quote in came if quote.token not in market.universe]
    assert {quote.token for quote in wide} == {watched}
    assert len(wide) > 60
    assert market.quote(asked).volume > 0


def test_trades_of_a_minute_add_up_to_its_candle_and_todays_candles_to_the_quote(noon: Market) -> None:
    start = at_ist(DAY, time(9, 15))
    for key in SAMPLE:
        token = token_of(noon, key)
        quote = noon.quote(token)
        bars = noon.candles(token, start, start + timedelta(hours=3), "minute", moment(12))
        if not bars:
            assert quote.volume == 0
            continue
        scaled = [tuple(int(price * 10_000) for price in bar[1:5]) for bar in bars]
        assert (scaled[0][0], max(bar[1] for bar in scaled), min(bar[2] for bar in scaled), scaled[-1][3]) == (
            quote.open, quote.high, quote.low, quote.ltp,
        )  # fmt: skip
        assert sum(bar[5] for bar in bars) == quote.volume


def test_yesterdays_last_candle_closes_at_todays_previous_close(noon: Market) -> None:
    start = at_ist(noon.previous_day, time())
    for key in SAMPLE:
        token = token_of(noon, key)
        candles = noon.candles(token, start, start + timedelta(hours=23), "day", moment(12))
        if noon.instruments[token].expiry is None or key.endswith("FUT"):
            assert int(candles[-1][4] * 10_000) == noon.quote(token).close, key


def test_call_and_put_of_a_strike_differ_by_the_future_less_the_strike(noon: Market) -> None:
    spot = noon.quote(NIFTY).ltp / 10_000
    for strike in (spot - 400, spot - 150, spot, spot + 150, spot + 400):
        call, put = (middle(noon, option(noon, strike, kind)) for kind in ("CE", "PE"))
        forward = spot * (1 + 0.065 * 8.1 / 365)
        assert abs(call - put - (forward - round(strike / 50) * 50)) < 0.0006 * spot


def test_no_option_is_worth_less_than_what_it_is_in_the_money(noon: Market, rows: list[dict[str, str]]) -> None:
    spot = noon.quote(NIFTY).ltp / 10_000
    for row in rows:
        if row["name"] == "NIFTY" and row["segment"] == "NFO-OPT" and row["expiry"] <= "2026-12-08":
            sign = 1 if row["instrument_type"] == "CE" else -1
            quote = noon.quote(int(row["instrument_token"]))
            forward = spot * (1 + 0.065 * (date.fromisoformat(row["expiry"]) - DAY).days / 365)
            assert quote.asks[0].price / 10_000 >= sign * (forward - float(row["strike"])) - 0.0006 * spot, row


def test_calls_get_cheaper_and_puts_dearer_with_the_strike(noon: Market) -> None:
    spot = noon.quote(NIFTY).ltp / 10_000
    strikes = [spot + 100 * place for place in range(-6, 7)]

    calls = [middle(noon, option(noon, strike, "CE")) for strike in strikes]
    puts = [middle(noon, option(noon, strike, "PE")) for strike in strikes]

    assert all(near > far for near, far in pairwise(calls))
    assert all(near < far for near, far in pairwise(puts))


def test_an_index_of_the_dump_has_an_indexs_token_and_no_book(noon: Market, rows: list[dict[str, str]]) -> None:
    indices = [int(row["instrument_token"]) for row in rows if row["segment"] == "INDICES"]

    assert len(indices) > 40
    assert all(token & 0xFF == 9 for token in indices)
    assert not any(noon.quote(indices[-1]).bids[0])
    assert noon.instruments[indices[-1]].instrument_type is InstrumentType.INDEX


def test_open_interest_moves_through_the_day_in_whole_lots(noon: Market) -> None:
    token = token_of(noon, "NFO:NIFTY26D0126750CE")
    quote, instrument = noon.quote(token), noon.instruments[token]

    assert quote.oi_day_low <= quote.oi <= quote.oi_day_high
    assert quote.oi_day_low < quote.oi_day_high
    assert quote.oi % instrument.lot_size == 0


def test_a_deep_option_may_not_trade_and_its_book_follows_the_index_all_the_same(noon: Market) -> None:
    market = known_market(DAY, SEED)
    spot = market.quote(NIFTY).ltp / 10_000
    key = option(market, spot - 1900, "CE")
    token = token_of(market, key)
    market.advance(moment(9, 20))
    early, first = market.quote(token), market.quote(NIFTY).ltp
    market.advance(moment(12))
    late, last = market.quote(token), market.quote(NIFTY).ltp

    assert late.volume < 100 * market.instruments[token].lot_size
    moved = (late.bids[0].price + late.asks[0].price - early.bids[0].price - early.asks[0].price) / 2
    assert abs(moved - (last - first)) < 0.2 * abs(last - first)


def test_a_share_of_the_other_exchange_costs_about_the_same(noon: Market) -> None:
    for symbol in ("RELIANCE", "INFY", "ABB"):
        here, there = (noon.quote(token_of(noon, f"{exchange}:{symbol}")).ltp for exchange in ("NSE", "BSE"))
        assert abs(there / here - 1) < 0.002


def test_an_expiring_future_ends_where_its_underlying_does() -> None:
    market = known_market(DAY, SEED)  # the monthly expiry of November 2026 is on this day
    market.advance(moment(15, 40))

    for future, spot in (("NFO:NIFTY26NOVFUT", "NSE:NIFTY 50"), ("NFO:INFY26NOVFUT", "NSE:INFY")):
        ended, close = (market.quote(token_of(market, key)).ltp for key in (future, spot))
        assert abs(ended / close - 1) < 0.0008
    assert market.quote(token_of(market, "NFO:NIFTY26DECFUT")).ltp > 1.003 * market.quote(NIFTY).ltp


def test_a_symbol_can_be_asked_for_by_anybody_in_any_order() -> None:
    one, other = known_market(DAY, SEED), known_market(DAY, SEED)
    for market, keys in ((one, SAMPLE), (other, reversed(SAMPLE))):
        market.advance(moment(10))
        for key in keys:
            market.quote(token_of(market, key))

    assert [one.quote(token_of(one, key)) for key in SAMPLE] == [other.quote(token_of(other, key)) for key in SAMPLE]


def test_every_trade_of_a_contract_is_whole_lots_and_a_minutes_trades_are_its_bar(noon: Market) -> None:
    thin, busy = 0, 0
    for key in ("NFO:NIFTY26DEC27250CE", "NFO:NIFTY26D0126750PE", "NFO:PFC27JANFUT", "BFO:SENSEX26NOVFUT", "BSE:INFY"):
        instrument = noon.by_key(key)
        assert instrument is not None
        course = noon.wide._course(instrument, DAY)
        for place in range(0, 300, 7):
            bar, trades = course.bar(place), [one for one in course.happenings(place) if one.price]
            if bar is None:
                assert trades == []
                continue
            prices = [one.price for one in trades]
            assert (prices[0], max(prices), min(prices), prices[-1]) == bar[1:5]
            assert sum(one.units for one in trades) == bar.volume
            assert all(one.units > 0 and one.units % instrument.lot_size == 0 for one in trades)
            thin, busy = thin + (len(trades) < 5), busy + (len(trades) > 5)
    assert min(thin, busy) > 10


def test_contracts_trade_on_second_by_second_when_the_shares_have_closed() -> None:
    market = known_market(DAY, SEED)
    token = token_of(market, "NFO:NIFTY26DECFUT")
    market.advance(moment(15, 29, 59))
    market.watch(token)

    late = [at_ms for at_ms in market.step_times if moment(15, 30) <= at_ms < moment(15, 40)]
    seen = [quote.at_ms for at_ms in late for quote in market.advance(at_ms) if quote.token == token]

    assert len(late) == 600
    assert len(seen) > 100
    assert seen == sorted(set(seen))
