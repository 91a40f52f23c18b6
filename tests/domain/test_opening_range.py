"""The first minutes of a session: what packets prove, what candles decide, and what is never guessed."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.domain.candles import Candle
from trading.domain.money import to_scaled
from trading.domain.opening_range import CandleVerdict, OpeningRange, OpeningTicks, OpeningWindow, judge_candles
from trading.domain.ticks import Tick
from trading.domain.timezone import at_ist, second_of_day

DAY = date(2026, 11, 23)
WINDOW = OpeningWindow(DAY, 15)


class Exchange:
    """Trades of one instrument, and the packet that the exchange would send after each."""

    def __init__(self) -> None:
        self.volume = self.high = self.low = self.ltp = 0

    def trade(self, price: str, units: int = 10) -> None:
        self.ltp = to_scaled(Decimal(price))
        self.volume += units
        self.high = max(self.high, self.ltp)
        self.low = min(self.low or self.ltp, self.ltp)

    def packet(self, close: str = "99") -> Tick:
        """Before the first trade of a day a packet carries yesterday's close."""
        last = to_scaled(Decimal(close))
        return Tick(1, self.ltp or last, 0, 0, self.high, self.low, last, self.volume)


def second(at: str) -> int:
    return second_of_day(time.fromisoformat(at))


def watched(*trades: tuple[str, str], lost: tuple[str, ...] = (), from_: str = "00:00:00") -> OpeningTicks:
    """Let trades happen and the packets of all but the `lost` ones, and those before `from_`, be seen."""
    exchange, ticks = Exchange(), OpeningTicks(WINDOW)
    for at, price in trades:
        exchange.trade(price)
        if at not in lost and at >= from_ and ticks.take(second(at), exchange.packet()):
            break
    return ticks


AUCTION = ("09:08:00", "100.00")


def test_the_window_is_the_first_minutes_of_the_session() -> None:
    assert (WINDOW.begin, WINDOW.end) == (at_ist(DAY, time(9, 15)), at_ist(DAY, time(9, 30)))
    assert WINDOW.words() == "09:15 to 09:30"


def test_packets_prove_a_window_that_was_seen_whole() -> None:
    ticks = watched(AUCTION, ("09:15:00", "100.00"), ("09:20:00", "104.00"), ("09:29:59", "101"), ("09:30:00", "102"))

    assert ticks.proven() == (Decimal(104), Decimal(100))


def test_a_trade_at_the_last_second_belongs_and_one_at_the_end_does_not() -> None:
    ticks = watched(AUCTION, ("09:15:00", "100"), ("09:29:59", "105"), ("09:30:00", "104"))
    assert ticks.proven() == (Decimal(105), Decimal(100))

    ticks = watched(AUCTION, ("09:15:00", "100"), ("09:29:58", "104"), ("09:30:00", "105"))
    assert ticks.high == to_scaled(Decimal(104))


def test_an_extreme_that_the_first_packet_after_the_window_brings_may_be_of_either_side_and_proves_nothing() -> None:
    ticks = watched(AUCTION, ("09:15:00", "100"), ("09:20:00", "104"), ("09:30:00", "105"))

    assert ticks.proven() is None


@pytest.mark.parametrize("lost", ["09:17:00", "09:20:00"])
def test_a_lost_packet_with_an_extreme_takes_the_proof_away(lost: str) -> None:
    trades = (AUCTION, ("09:16:00", "101"), ("09:17:00", "98"), ("09:20:00", "104"), ("09:30:01", "101"))

    assert watched(*trades).proven() == (Decimal(104), Decimal(98))
    assert watched(*trades, lost=(lost,)).proven() is None


def test_a_lost_packet_between_the_extremes_does_no_harm() -> None:
    trades = (AUCTION, ("09:16:00", "99"), ("09:17:00", "101"), ("09:20:00", "104"), ("09:30:01", "101"))

    assert watched(*trades, lost=("09:17:00",)).proven() == (Decimal(104), Decimal(99))


def test_a_late_start_is_proven_only_by_extremes_that_came_afterwards() -> None:
    before = (AUCTION, ("09:16:00", "101"))
    after = (("09:22:00", "100.5"), ("09:23:00", "104"), ("09:24:00", "98"), ("09:30:01", "101"))

    assert watched(*before, *after, from_="09:20:00").proven() == (Decimal(104), Decimal(98))
    assert watched(*before, ("09:19:00", "105"), *after, from_="09:20:00").proven() is None


def test_the_price_of_a_snapshot_is_no_trade_of_the_window() -> None:
    """A subscription in mid-window brings the last trade, which may have been the auction's."""
    exchange, ticks = Exchange(), OpeningTicks(WINDOW)
    exchange.trade("110")
    ticks.take(second("09:20:00"), exchange.packet())
    exchange.trade("105")
    ticks.take(second("09:21:00"), exchange.packet())
    ticks.take(second("09:30:00"), exchange.packet())

    assert (ticks.high, ticks.low) == (to_scaled(Decimal(105)), to_scaled(Decimal(105)))
    assert ticks.proven() is None


def test_yesterdays_close_in_a_packet_of_today_is_no_trade_of_the_window() -> None:
    exchange, ticks = Exchange(), OpeningTicks(WINDOW)
    ticks.take(second("09:16:00"), exchange.packet(close="90"))
    ticks.take(second("09:17:00"), exchange.packet(close="90"))
    assert ticks.low == 0

    ticks.take(second("09:30:00"), exchange.packet(close="90"))
    assert ticks.proven() is None


def test_a_packet_without_a_new_trade_counts_for_nothing() -> None:
    exchange, ticks = Exchange(), OpeningTicks(WINDOW)
    exchange.trade("110")
    for at in ("09:08:00", "09:15:00", "09:16:00"):  # the order book moves, nobody trades
        ticks.take(second(at), exchange.packet())

    assert ticks.low == 0


prices = st.integers(min_value=9_900, max_value=10_100).map(lambda paise: str(Decimal(paise) / 100))
moments = st.integers(min_value=second("09:15:00"), max_value=second("09:33:00"))


@given(
    trades=st.lists(st.tuples(moments, prices, st.booleans()), max_size=30),
    auction=st.one_of(st.none(), st.tuples(prices, st.booleans())),
)
def test_whatever_packets_are_lost_what_is_proven_is_the_windows_range(
    trades: list[tuple[int, str, bool]], auction: tuple[str, bool] | None
) -> None:
    exchange, ticks, inside = Exchange(), OpeningTicks(WINDOW), []
    if auction:
        exchange.trade(auction[0])
    if auction and auction[1]:
        ticks.take(second("09:08:00"), exchange.packet())
    for at, price, is_seen in sorted(trades):
        exchange.trade(price)
        if at < second("09:30:00"):
            inside.append(Decimal(price))
        if is_seen and ticks.closing is None:
            ticks.take(at, exchange.packet())

    proven = ticks.proven()
    assert proven is None or proven == (max(inside), min(inside))


# -- candles ---------------------------------------------------------------------------------------------------------


def minute(at: str, high: str, low: str) -> Candle:
    return Candle(at_ist(DAY, time.fromisoformat(at)), Decimal(low), Decimal(high), Decimal(low), Decimal(high), 10)


MORNING = [minute("09:15", "104", "100"), minute("09:16", "103", "99"), minute("09:29", "102", "101")]
LATER = minute("09:30", "120", "90")
FINAL = at_ist(DAY, time(9, 31))
BLIND = OpeningTicks(WINDOW)


def judge(candles: list[Candle], *, seen: OpeningTicks = BLIND, now: datetime = FINAL) -> CandleVerdict:
    return judge_candles(candles, WINDOW, seen=seen, now=now)


def test_candles_give_the_windows_range_and_nothing_of_other_spans() -> None:
    yesterday = replace(MORNING[0], start=MORNING[0].start - timedelta(days=1), high=Decimal(500))

    assert judge([yesterday, minute("09:14", "300", "1"), *MORNING, LATER]) == CandleVerdict(Decimal(104), Decimal(99))


def test_candles_are_final_when_a_later_one_is_there_or_a_minute_has_passed() -> None:
    five_past = at_ist(DAY, time(9, 30, 5))

    assert judge(MORNING, now=five_past).wait == "the broker's candles of the window are not final yet"
    assert judge([*MORNING, LATER], now=five_past) == CandleVerdict(Decimal(104), Decimal(99))
    assert judge(MORNING, now=at_ist(DAY, time(9, 31))) == CandleVerdict(Decimal(104), Decimal(99))


def test_half_a_window_is_never_a_range() -> None:
    assert judge(MORNING[:2], now=at_ist(DAY, time(9, 29, 59))).wait
    assert judge([*MORNING[:2], LATER], now=at_ist(DAY, time(9, 29, 59))).wait


def test_no_candle_at_all_means_that_nothing_was_traded() -> None:
    assert judge([]) == CandleVerdict()
    assert judge([LATER]) == CandleVerdict()


def test_candles_that_lack_what_was_seen_are_asked_for_again() -> None:
    seen = watched(AUCTION, ("09:16:00", "105"))

    assert "do not agree" in judge(MORNING, seen=seen).wait
    assert judge([], seen=seen).wait == "the broker has no candle of the window, but it was traded"


def test_candles_beyond_the_exchanges_own_extremes_of_the_day_are_not_believed() -> None:
    seen = watched(("09:16:00", "103"), ("09:17:00", "100"), ("09:30:00", "101"))

    assert "do not agree" in judge(MORNING, seen=seen).wait


def test_a_candle_that_makes_no_sense_is_not_believed() -> None:
    bad = Candle(MORNING[0].start, Decimal(100), Decimal(99), Decimal(98), Decimal(100), 1)

    assert judge([bad, LATER]).wait == "the broker's candle of 09:15 makes no sense"


def test_a_found_range_says_where_it_comes_from() -> None:
    found = OpeningRange("kite", "NSE:INFY", 15, "candles", Decimal(104), Decimal(99))

    reference = found.reference()

    assert reference is not None
    assert reference.as_dict() == {
        "source": "opening_range",
        "from": "09:15:00",
        "to": "09:30:00",
        "high": "104.00",
        "low": "99.00",
        "told_by": "candles",
    }
    assert type(reference).from_dict(reference.as_dict()) == reference
    assert OpeningRange("kite", "NSE:INFY", 15, "candles", why_not="no trade").reference() is None
