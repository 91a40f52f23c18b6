"""One ladder of one account and instrument: ticks become decisions, decisions become events and orders."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from trading.domain.errors import StoreUnavailable
from trading.domain.ladder import Ladder
from trading.domain.ladder_config import LadderConfigError
from trading.domain.ladder_events import Entry, SquareOff, Stop, TargetReached, TickEvent
from trading.domain.ladder_state import NEVER
from trading.domain.money import from_scaled
from trading.domain.opening_range import OpeningRange, OpeningWindow
from trading.domain.orders import Purpose
from trading.domain.ticks import Tick
from trading.engine.day_plan import DayTimes, make_ladder, window_of
from trading.engine.ladder_book import LadderBook
from trading.engine.ladder_pen import LadderPen, range_told
from trading.engine.ladder_saving import LadderSaver
from trading.engine.line import PositionLine
from trading.engine.orders import Working
from trading.engine.tools import Tools
from trading.engine.wishes import EntryWish, ExitWish
from trading.ports import Plan

logger = logging.getLogger(__name__)


class LadderRunner:
    """The owner of a line. Holds ticks back while an entry works or something of an ended position is still alive."""

    def __init__(self, tools: Tools, plan: Plan, times: DayTimes, line: PositionLine, book: LadderBook) -> None:
        self.plan = plan
        self.times = times
        self.line = line
        self.ladder: Ladder | None = None
        self.waits_for: OpeningWindow | None = None
        """The opening window whose range is still to be found."""
        self.why_not = "the day's range is not known yet"
        self._tools = tools
        self._pen = LadderPen(tools, line)
        self._book = book
        self._seen = 0
        self._entry_settled = True
        self._saver = LadderSaver(tools, line, self.state)
        self._kept_ladder: Mapping[str, Any] | None = None
        self._day_is_over = False
        self._when_flat: Callable[[], None] | None = None
        self.stop_percent: Callable[[], Decimal | None] = lambda: None
        """How far beyond its stop the client wants one to rest at the exchange."""

    # -- setting up --------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Compute the day's levels; without a range, or with a broken configuration, nothing is traded."""
        try:
            if self.plan.day_range is None:
                self._wait_for_range()
                return
            ladder = make_ladder(self.plan, self.times)
        except (LadderConfigError, ValueError) as error:
            self.why_not = str(error)
            self._tools.alarm(self.line.ref.client_id, "LADDER_REFUSED", f"{self.plan.instrument.key}: {error}")
            return
        self.ladder = ladder
        self.why_not = ladder.not_traded.reason if ladder.not_traded else ""

    def _wait_for_range(self) -> None:
        window = window_of(self.plan, self._tools.day)
        if self.plan.why_no_range:
            self.why_not = self.plan.why_no_range
        elif window is not None:
            self.waits_for = window
            self.why_not = f"the opening range ({window.words()}) is not known yet"

    def take_range(self, found: OpeningRange) -> None:
        """Begin with the opening range that was waited for, or know that there is none today."""
        self.plan = replace(self.plan, day_range=found.reference(), why_no_range=found.why_not)
        self.waits_for = None
        self.begin()
        try:
            self._restore_ladder()
        except ValueError as error:
            self.ladder, self.why_not = None, f"the kept ladder cannot be read: {error}"
            self._tools.alarm(self.line.ref.client_id, "LADDER_LOST", f"{self.line.instrument}: {self.why_not}")
        if self.ladder is not None and self._day_is_over:
            self.ladder.end_day()
        self.announce()
        self._pen.restored(self.ladder)
        self.save()
        self.line_changed()

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Go on where another process stopped. What an entry came to is asked of the broker by `settle_entry`."""
        self._kept_ladder = snapshot["ladder"]
        self._restore_ladder()
        self.line.position = max(self.line.position, int(snapshot["position"]))
        self._entry_settled = bool(snapshot["entry_settled"])
        wish = snapshot["wish"]
        if wish is not None:
            purpose, keep = Purpose(wish["purpose"]), int(wish["keep"])
            self.line.want_exit(ExitWish(purpose, keep, wish["reason"], bool(wish["whole"]), int(wish["round"])))
        self._saver.kept = snapshot
        if snapshot.get("plan") != self._plan_facts():
            self.announce()
            self.save()
        else:
            self._pen.planned(self.plan, self.ladder)  # its quantity may be another
        self._pen.restored(self.ladder)

    def _restore_ladder(self) -> None:
        if self.ladder is not None and self._kept_ladder is not None:
            self.ladder.restore(self._kept_ladder)

    def settle_entry(self, filled: int | None) -> None:
        """After a restart: the last entry filled `filled` units in all; None while it may still fill."""
        if not self._entry_settled and filled is not None:
            self.entry_finished(filled)

    def announce(self) -> None:
        """Say where an opening range came from, and the one event of an instrument that is left alone today.

        It is on its way to the log before the state after it is saved, so that no crash can swallow it.
        """
        self._pen.announce(self.plan, self.ladder)
        self._tools.spawn(self._flush(), "announce")

    async def _flush(self) -> None:
        try:
            await self._tools.journal.flush()
        except StoreUnavailable as error:
            logger.warning("events of %s wait for the database: %s", self.line.instrument, error)

    # -- TickTaker ---------------------------------------------------------------------------------------------

    @property
    def token(self) -> int:
        """The instrument's feed token."""
        return self.plan.instrument.token

    @property
    def is_blocked(self) -> bool:
        """True while ticks wait: an entry works, or the ladder is flat and retired, or its last orders are not done."""
        if self.ladder is None or self.line.is_held:
            return True
        if self.line.live_entries or self.line.entry_wish:
            return True
        return self.ladder.position_side is None and (self.is_retired or not self.line.is_quiet)

    @property
    def is_retired(self) -> bool:
        """True once it enters nothing more: its line was switched off, or has another plan."""
        return self._when_flat is not None

    def bounds(self) -> tuple[int, int]:
        """See Ladder.bounds; a blocked ladder needs no tick now, it looks at the newest when it is free again."""
        return (-NEVER, NEVER) if self.ladder is None or self.is_blocked else self.ladder.bounds()

    def until(self) -> int:
        """From the ladder's square-off on it has to see every tick."""
        if self.ladder is None or self.is_blocked or self.ladder.bounds() == (-NEVER, NEVER):
            return NEVER
        return self._tools.midnight + self.ladder.square_off_second

    def on_tick(self, tick: Tick) -> None:
        """Decide on a tick, unless it has to wait. A ladder that fails is taken out; it harms no other."""
        if self.ladder is None or self.is_blocked:
            return
        self._seen = self._book.count(self.token)
        try:
            self._decide_on(self.ladder, tick)
        except Exception as error:
            logger.exception("the ladder of %s %s failed", self.line.ref.key, self.line.instrument)
            self._take_out(error)

    def _take_out(self, error: Exception) -> None:
        """Decide nothing more here, and close what nobody watches now."""
        self.ladder, self.why_not = None, f"the ladder failed: {error!r}"
        text = f"{self.line.instrument}: {self.why_not}; its position is closed"
        self._tools.alarm(self.line.ref.client_id, "LADDER_FAILED", text, account=self.line.ref.key)
        self.line.want_exit(ExitWish(Purpose.MANUAL_EXIT, 0, {"rule": text}))
        self.line.advance()

    def _decide_on(self, ladder: Ladder, tick: Tick) -> None:
        events = ladder.on_tick(tick.exchange_ts - self._tools.midnight, tick.ltp)
        if events:
            self._decide(events, tick)
        self.save()
        if events:
            self.line.advance()

    # -- LineOwner ---------------------------------------------------------------------------------------------

    def expected_open(self) -> int | None:
        """What the ladder thinks is open, signed."""
        if self.ladder is None:
            return None
        side = self.ladder.position_side
        return side.sign * self.ladder.open_quantity if side else 0

    def ladder_stop(self) -> Decimal | None:
        """The stop in force; None while an entry works, or nothing is open."""
        stop = self.ladder.stop if self.ladder is not None and self._entry_settled else None
        return None if stop is None else from_scaled(stop)

    def stopped_out(self, working: Working) -> None:
        """The stop at the exchange closed the position: the ladder is flat, and goes on as after its own stop."""
        trigger = working.order.trigger_price if working.order else None
        text = f"the stop at the exchange ({trigger or working.intent.trigger_price}) closed {working.filled}"
        self._pen.record("STOPPED_AT_EXCHANGE", {"quantity": working.filled, "text": text})
        if self.ladder is not None:
            self.ladder.closed()
            self._pen.record("LADDER_RESET", {"ends_day": False})
        self._changed()

    def entry_finished(self, filled: int) -> None:
        """Follow what was really filled."""
        self._entry_settled = True
        if self.ladder is not None:
            self.ladder.entry_filled(filled)
            self._pen.record("ENTRY_SETTLED", {"filled": filled})
            if filled == 0:
                self._pen.record("ENTRY_FAILED", {"reason": "the entry came to nothing"})
        self._changed()

    def shrunk(self, units: int) -> None:
        """The client closed a part by hand: go on with what is left."""
        if self.ladder is not None:
            self.ladder.open_corrected(units)
            self._pen.record("POSITION_SHRUNK", {"open": units, "reason": "closed outside of this system"})
        self._changed()

    def line_changed(self) -> None:
        """Look at the tick that had to wait."""
        self._book.refresh(self.token)
        tick = self._book.last(self.token)
        if tick is not None and not self.is_blocked and self._book.count(self.token) > self._seen:
            self.on_tick(tick)
            self._book.refresh(self.token)
        kept = self._saver.kept.get("wish")
        if kept and kept["whole"] and self.line.wish is None:
            self.save()  # a restart would close what was opened by hand since
        self._tell_when_flat()

    def retire(self, when_flat: Callable[[], None]) -> None:
        """Carry what is open to its end and enter nothing more; `when_flat` is called once, when that is done."""
        self._when_flat = when_flat
        self._tell_when_flat()
        self._book.refresh(self.token)

    def _tell_when_flat(self) -> None:
        if self._when_flat is not None and self.line.is_flat and not self.line.is_held:
            tell, self._when_flat = self._when_flat, _nothing
            tell()

    # -- outranked ---------------------------------------------------------------------------------------------

    def flatten(self, purpose: Purpose, reason: Mapping[str, Any], *, ends_day: bool) -> None:
        """Close everything of this line for a reason that outranks the ladder; `ends_day` also ignores later ticks."""
        self._pen.flattening(purpose, reason, self._book.last(self.token))
        self._day_is_over = self._day_is_over or ends_day
        if self.ladder is not None:
            before = self.ladder.snapshot()
            self.ladder.end_day() if ends_day else self.ladder.closed()
            if self.ladder.snapshot() != before:  # whoever flattens wants it again and again until it is flat
                self._pen.record("LADDER_RESET", {"ends_day": ends_day})
        self.line.want_exit(ExitWish(purpose, 0, reason, is_whole=True))
        self._changed()

    # -- inside ------------------------------------------------------------------------------------------------

    def _decide(self, events: Sequence[TickEvent], tick: Tick) -> None:
        for event in events:
            self._pen.record(event.word, self._told(event, tick))
        booked = [event for event in events if isinstance(event, TargetReached)]
        last = events[-1]
        if isinstance(last, Entry):
            self._entry_settled = False
            self.line.want_entry(EntryWish(last.side.entry_side, last.quantity, self._told(last, tick)))
        elif isinstance(last, Stop | SquareOff):
            purpose = Purpose.STOP if isinstance(last, Stop) else Purpose.SQUARE_OFF
            self.line.want_exit(ExitWish(purpose, 0, self._told(last, tick), is_whole=purpose is Purpose.SQUARE_OFF))
        elif self.ladder is not None and any(event.quantity for event in booked):
            target, keep = booked[-1], self.ladder.open_quantity
            self.line.want_exit(ExitWish(Purpose.TARGET, keep, self._told(target, tick), round=target.k))

    def _told(self, event: TickEvent, tick: Tick) -> dict[str, Any]:
        return self._pen.told(event, tick, self.plan, self.ladder)

    def _changed(self) -> None:
        self._book.refresh(self.token)
        self.save()

    def save(self) -> None:
        """Have the present state committed when it differs from the last one."""
        self._saver.save()

    def _plan_facts(self) -> dict[str, Any]:
        """What of the plan the levels follow from."""
        return {"config": dict(self.plan.config), "range": None, "why_no_range": self.plan.why_no_range} | (
            range_told(self.plan)
        )

    def state(self) -> dict[str, Any] | None:
        """Give all that a restart needs, None while there is nothing to go on with."""
        if self.ladder is None and not self.plan.why_no_range:
            return None
        wish = self.line.wish
        return {
            "plan": self._plan_facts(),
            "ladder": self.ladder.snapshot() if self.ladder else self._kept_ladder,
            "position": self.line.position,
            "entry_settled": self._entry_settled,
            "wish": wish
            and {
                "purpose": wish.purpose.value,
                "keep": wish.keep,
                "whole": wish.is_whole,
                "round": wish.round,
                "reason": dict(wish.reason),
            },
        }


def _nothing() -> None:
    """Tell nobody: it was told."""
