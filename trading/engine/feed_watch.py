"""Whether the feed is fit for entries, judged by the exchange's own time stamps."""

from collections.abc import Callable, Iterable

from trading.domain.instruments import InstrumentClass
from trading.domain.risk import FEED_SILENT_WIRE_S, FEED_STALE_AFTER_S
from trading.domain.sessions import Phase
from trading.domain.ticks import Tick
from trading.domain.timezone import format_second
from trading.engine.control_state import ControlState
from trading.engine.tools import Tools


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

    def note(self, ticks: Iterable[Tick]) -> None:
        """Take in the time stamps of a batch."""
        newest = max((tick.exchange_ts for tick in ticks), default=0)
        if newest:
            self._newest = max(self._newest, newest)
            self._heard_at = self._tools.clock.monotonic()
            self.look()

    def look(self) -> None:
        """Judge now."""
        trouble = self._trouble()
        self._control.prices_stopped = bool(trouble) and self._is_open()
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
        if age <= FEED_STALE_AFTER_S or not self._is_open():
            return ""
        is_silent = self._tools.clock.monotonic() - self._heard_at >= FEED_SILENT_WIRE_S
        if not is_silent and not self._control.feed_trouble:
            return ""
        return f"prices stopped {format_second(self._newest - self._tools.midnight)}"

    def _is_open(self) -> bool:
        calendar = self._tools.deps.calendar
        return calendar.phase_at(self._tools.now(), InstrumentClass.EQUITY) is Phase.CONTINUOUS
