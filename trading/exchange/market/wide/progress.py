"""How far one instrument of the wide market has come today, and the quote that follows.

A minute that is over is taken in as its bar, the running one as its happenings: so a day can be entered at any moment
at the cost of a bar a minute, and small and big steps end in the same quote.
"""

from collections.abc import Sequence
from typing import Final

from trading.exchange.market.bar import Bar
from trading.exchange.market.hours import MINUTE_MS
from trading.exchange.market.quotes import Quote
from trading.exchange.market.wide.course import Course, Happening

NEVER: Final = 1 << 62


class Progress:
    """Reads one course forwards. Before its first trade of the day an instrument stands at its previous close."""

    def __init__(self, course: Course, before_ms: int, salt: int) -> None:
        """`before_ms` is the last trade of an earlier day, `salt` the book's chance."""
        self.course = course
        self._before_ms = before_ms
        self._salt = salt
        self._place = 0
        self._running: Sequence[Happening] | None = None
        self._seen = 0
        self._total: Bar | None = None
        self._turnover = 0
        self._traded_place = -1
        self._quote: Quote | None = None

    def advance(self, to_ms: int) -> bool:
        """Go on to this moment; False when nothing happened since."""
        minutes, has_moved = self.course.minutes, False
        while self._place < len(minutes) and minutes[self._place] + MINUTE_MS <= to_ms:
            has_moved |= self._running is None or self._seen < len(self._running)
            self._finish()
        if self._place < len(minutes) and minutes[self._place] <= to_ms:
            has_moved |= self._run(to_ms)
        if has_moved:
            self._quote = None
        return has_moved

    def next_ms(self) -> int:
        """Give the next moment at which something may happen, `NEVER` after the last."""
        minutes = self.course.minutes
        if self._running is not None and self._seen < len(self._running):
            return self._running[self._seen].at_ms
        following = self._place + (self._running is not None)
        return minutes[following] if following < len(minutes) else NEVER

    def quote(self) -> Quote:
        """Give the present quote."""
        if self._quote is None:
            self._quote = self._make()
        return self._quote

    def bars(self) -> list[Bar]:
        """Give the bars of the day so far, the running minute as far as it has come."""
        whole = [self.course.bar(place) for place in range(self._place)]
        running = _bar_of([one for one in self._present() if one.price], self.course.minutes, self._place)
        return [bar for bar in (*whole, running) if bar is not None]

    def _finish(self) -> None:
        """Take the running minute in, as its bar."""
        bar = self.course.bar(self._place)
        if bar is not None:
            self._turnover += bar.volume * (bar.open + bar.high + bar.low + bar.close) // 4
            self._total = _joined(self._total, bar)
            self._traded_place = self._place
        self._place += 1
        self._running, self._seen = None, 0

    def _run(self, to_ms: int) -> bool:
        if self._running is None:
            self._running = self.course.happenings(self._place)
        before = self._seen
        while self._seen < len(self._running) and self._running[self._seen].at_ms <= to_ms:
            self._seen += 1
        return self._seen > before

    def _present(self) -> Sequence[Happening]:
        return self._running[: self._seen] if self._running is not None else ()

    def _last(self) -> tuple[Happening | None, Happening | None]:
        """Give the last happening of the day so far, and the last trade."""
        present = self._present()
        earlier = self.course.happenings(self._place - 1) if self._place and not present else ()
        event = present[-1] if present else earlier[-1] if earlier else None
        trade = next((one for one in reversed(present) if one.price), None)
        if trade is None and self._traded_place >= 0:
            trade = self.course.happenings(self._traded_place)[-1]
        return event, trade

    def _make(self) -> Quote:
        course = self.course
        event, trade = self._last()
        trades = [one for one in self._present() if one.price]
        running = _bar_of(trades, course.minutes, self._place)
        total = self._total if running is None else _joined(self._total, running)
        turnover = self._turnover + sum(one.price * one.units for one in trades)
        high, low = (total.high, total.low) if total else (0, 0)
        interest = course.interest(self._place if self._present() else max(0, self._place - 1))
        lower, upper = course.limits(high, low)
        at_ms = event.at_ms if event else self._before_ms
        is_index = course.listing.is_index
        return Quote(
            token=course.listing.token,
            ltp=trade.price if trade else course.previous_close,
            last_quantity=trade.units if trade else 0,
            average_price=turnover // total.volume if total and total.volume else 0,
            volume=total.volume if total and not is_index else 0,
            open=total.open if total else 0,
            high=high,
            low=low,
            close=course.previous_close,
            last_trade_ms=trade.at_ms if trade else self._before_ms,
            at_ms=at_ms,
            lower_circuit=lower,
            upper_circuit=upper,
            oi=interest.now,
            depth=course.listing.depth,
            serial=self._salt + at_ms // 1000,
            is_bought=trade.is_bought if trade else False,
            oi_day_high=interest.high,
            oi_day_low=interest.low,
            touch=event.touch if event else None,
        )


def _joined(total: Bar | None, bar: Bar) -> Bar:
    if total is None:
        return bar
    return Bar(
        total.start_ms,
        total.open,
        max(total.high, bar.high),
        min(total.low, bar.low),
        bar.close,
        total.volume + bar.volume,
    )


def _bar_of(trades: Sequence[Happening], minutes: Sequence[int], place: int) -> Bar | None:
    if not trades:
        return None
    prices = [one.price for one in trades]
    units = sum(one.units for one in trades)
    return Bar(minutes[place], prices[0], max(prices), min(prices), prices[-1], units)
