"""Whether the feed is fit for entries, judged by the exchange's own time stamps."""

from collections.abc import Callable

from trading.domain.instruments import InstrumentClass
from trading.domain.sessions import Phase
from trading.domain.ticks import Tick
from trading.domain.timezone import format_second
from trading.engine.gate import ControlState
from trading.engine.tools import Tools

SILENT_MARKET_S = 3
SILENT_WIRE_S = 1.0
"""A market that moves in steps jumps; the feed is silent only when this much real time passed as well."""


class FeedWatch:
    """Notes every batch; says once when the feed falls silent and once when it is back."""

    def __init__(self, tools: Tools, control: ControlState, on_change: Callable[[], None]) -> None:
        self._tools = tools
        self._control = control
        self._on_change = on_change
        self._newest = 0
        self._heard_at = tools.clock.monotonic()

    @property
    def newest(self) -> int:
        """The newest exchange time stamp of today in epoch seconds, 0 before the first."""
        return self._newest

    def note(self, ticks: tuple[Tick, ...]) -> None:
        """Take in the time stamps of a batch."""
        if ticks:
            self._newest = max(self._newest, max(tick.exchange_ts for tick in ticks))
            self._heard_at = self._tools.clock.monotonic()
            self.look()

    def look(self) -> None:
        """Judge now."""
        trouble = self._trouble()
        if trouble == self._control.feed_trouble:
            return
        was, self._control.feed_trouble = self._control.feed_trouble, trouble
        if bool(was) != bool(trouble):
            self._tools.journal.record("FEED_STALE" if trouble else "FEED_FRESH", None, {"text": trouble or "fresh"})
        self._on_change()

    def _trouble(self) -> str:
        if self._newest < self._tools.midnight:
            return "no tick has come yet"
        age = self._tools.now().timestamp() - self._newest
        if age <= SILENT_MARKET_S or not self._is_open():
            return ""
        is_silent = self._tools.clock.monotonic() - self._heard_at >= SILENT_WIRE_S
        if not is_silent and not self._control.feed_trouble:
            return ""
        return f"prices stopped {format_second(self._newest - self._tools.midnight)}"

    def _is_open(self) -> bool:
        calendar = self._tools.deps.calendar
        return calendar.phase_at(self._tools.now(), InstrumentClass.EQUITY) is Phase.CONTINUOUS
