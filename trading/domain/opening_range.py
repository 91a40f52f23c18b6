"""The opening range: high and low of the first minutes of today's session, never of a part of them.

Two witnesses can give it. Packets do when the extremes that were seen inside the window are the exchange's own
extremes of the day, as the first packet after the window has them: then nothing can be missing, whenever one
began to look and whatever was lost on the way. Otherwise the broker's minute candles decide, once they are final.
The window is [09:15:00, 09:15:00 + N minutes): a trade at its last second is outside.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from trading.domain.candles import Candle
from trading.domain.ladder_config import MARKET_OPEN, RangeSource, opening_range_end
from trading.domain.money import from_scaled
from trading.domain.reference_range import ReferenceRange
from trading.domain.ticks import Tick
from trading.domain.timezone import at_ist, second_of_day, to_ist

FINAL_AFTER = timedelta(seconds=60)
"""Market time after the window at which its last candle is taken for final though no later one is there."""


@dataclass(frozen=True, slots=True)
class OpeningWindow:
    """The first `minutes` (at least 1) of the session of a day."""

    day: date
    minutes: int

    @property
    def begin_time(self) -> time:
        """The IST time at which it begins."""
        return MARKET_OPEN

    @property
    def end_time(self) -> time:
        """The IST time of the first second after it."""
        return opening_range_end(self.minutes)

    @property
    def begin(self) -> datetime:
        """The aware moment at which it begins."""
        return at_ist(self.day, self.begin_time)

    @property
    def end(self) -> datetime:
        """The aware moment at which it is over."""
        return at_ist(self.day, self.end_time)

    def words(self) -> str:
        """Say it: `09:15 to 09:30`."""
        return f"{self.begin_time:%H:%M} to {self.end_time:%H:%M}"


@dataclass(frozen=True, slots=True)
class OpeningRange:
    """What an instrument did in its window: high and low in rupees, or `why_not` and neither. Final once it is made.

    `instrument` is the broker's spelling `EXCHANGE:TRADINGSYMBOL`; `told_by` is ticks or candles.
    """

    broker: str
    instrument: str
    minutes: int
    told_by: str
    high: Decimal | None = None
    low: Decimal | None = None
    why_not: str = ""

    def reference(self) -> ReferenceRange | None:
        """Give the ladder's range, None where there is none."""
        if self.high is None or self.low is None:
            return None
        end = opening_range_end(self.minutes).isoformat()
        begin = MARKET_OPEN.isoformat()
        return ReferenceRange(self.high, self.low, RangeSource.OPENING_RANGE, begin, end, self.told_by)


class OpeningTicks:
    """Watches one instrument's packets. Prices are integers of 1/10,000 rupee, seconds those of the Indian day.

    A packet's price counts when its volume grew after a packet of today that had volume already. Then the auction
    before the session is over, and the trade lies between two packets that were seen; a snapshot sent on
    subscription, a price of yesterday, or the auction's own price repeated in the window count for nothing.
    """

    __slots__ = ("_begin", "_end", "_volume", "closing", "high", "low")

    def __init__(self, window: OpeningWindow) -> None:
        self._begin = second_of_day(window.begin_time)
        self._end = second_of_day(window.end_time)
        self._volume = 0
        self.high = self.low = 0
        self.closing: tuple[int, int] | None = None
        """The day's (high, low) in the first packet after the window."""

    def take(self, second: int, tick: Tick) -> bool:
        """Take in the next packet of today; True once it tells that the window is over."""
        if second >= self._end:
            self.closing = (tick.high, tick.low)
            return True
        if second >= self._begin and 0 < self._volume < tick.volume:
            self.high = max(self.high, tick.ltp)
            self.low = min(self.low, tick.ltp) if self.low else tick.ltp
        self._volume = max(self._volume, tick.volume)
        return False

    def proven(self) -> tuple[Decimal, Decimal] | None:
        """Give (high, low) in rupees where they are certainly all of the window, else None."""
        if not self.low or self.closing != (self.high, self.low):
            return None
        return from_scaled(self.high), from_scaled(self.low)


@dataclass(frozen=True, slots=True)
class CandleVerdict:
    """What candles say: high and low; neither, when nothing was traded; or `wait` says why to ask again later."""

    high: Decimal | None = None
    low: Decimal | None = None
    wait: str = ""


def judge_candles(
    candles: Sequence[Candle], window: OpeningWindow, *, seen: OpeningTicks, now: datetime
) -> CandleVerdict:
    """Read the window's range from minute candles that were asked for at `now`; those of other spans are passed over.

    They must be final (a later candle is there, or a minute has passed), plausible, and agree with every price
    that was seen inside the window and with the day's extremes after it.
    """
    inside = [candle for candle in candles if window.begin <= candle.start < window.end]
    later = any(window.end <= candle.start < window.begin + timedelta(days=1) for candle in candles)
    if now < window.end or not (later or now >= window.end + FINAL_AFTER):
        return CandleVerdict(wait="the broker's candles of the window are not final yet")
    for candle in inside:
        if not 0 < candle.low <= min(candle.open, candle.close) <= max(candle.open, candle.close) <= candle.high:
            return CandleVerdict(wait=f"the broker's candle of {to_ist(candle.start):%H:%M} makes no sense")
    if not inside:
        return CandleVerdict(wait="the broker has no candle of the window, but it was traded") if seen.low else NOTHING
    high, low = max(candle.high for candle in inside), min(candle.low for candle in inside)
    if not _agrees(high, low, seen):
        return CandleVerdict(wait=f"the broker's candles ({low} to {high}) do not agree with the prices of the feed")
    return CandleVerdict(high, low)


NOTHING = CandleVerdict()


def _agrees(high: Decimal, low: Decimal, seen: OpeningTicks) -> bool:
    """Say whether a range holds what was seen, and lies inside what the exchange says of the day."""
    if seen.low and not (low <= from_scaled(seen.low) and from_scaled(seen.high) <= high):
        return False
    if seen.closing is None or not seen.closing[1]:
        return True
    return from_scaled(seen.closing[1]) <= low and high <= from_scaled(seen.closing[0])
