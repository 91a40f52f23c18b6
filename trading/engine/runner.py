"""One ladder of one account and instrument: ticks become decisions, decisions become events and orders."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import time
from decimal import Decimal
from typing import Any

from trading.domain.errors import StoreUnavailable
from trading.domain.ladder import Ladder
from trading.domain.ladder_config import LadderConfig, LadderConfigError
from trading.domain.ladder_events import Entry, SquareOff, Stop, TargetReached, TickEvent
from trading.domain.ladder_state import NEVER
from trading.domain.money import format_scaled
from trading.domain.orders import Purpose
from trading.domain.sizing import quantity_for
from trading.domain.ticks import Tick
from trading.engine.ladder_book import LadderBook
from trading.engine.line import EntryWish, ExitWish, PositionLine
from trading.engine.tools import Tools
from trading.ports import LadderRecord, Plan

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DayTimes:
    """The client's own times (IST): from when the instrument is squared off, and from when nothing is entered."""

    square_off_from: time
    no_new_entry_after: time


def make_ladder(plan: Plan, times: DayTimes) -> Ladder:
    """Build the day's ladder of a plan whose range is known, inside the client's own times.

    Raises LadderConfigError when configuration and times do not fit together.
    """
    if plan.day_range is None:
        raise ValueError(f"{plan.instrument.key} has no range today")
    own = LadderConfig.from_mapping(plan.config)
    square_off_at = min(own.square_off_at, times.square_off_from)
    last_entry = min(own.no_new_entry_after, times.no_new_entry_after, square_off_at)
    bounds = {"square_off_at": square_off_at.isoformat(), "no_new_entry_after": last_entry.isoformat()}
    high, low = plan.day_range
    return Ladder(
        LadderConfig.from_mapping({**plan.config, **bounds}),
        high=high,
        low=low,
        tick_size=plan.instrument.tick_size,
        lot_size=plan.instrument.lot_size,
        quantity=_quantity(plan),
    )


def _quantity(plan: Plan) -> Any:
    if plan.quantity is not None:
        return plan.quantity
    capital = plan.capital or Decimal(0)
    return lambda price: quantity_for(capital, price, plan.instrument.lot_size)


class LadderRunner:
    """The owner of a line. Holds ticks back while an entry works or something of an ended position is still alive."""

    def __init__(self, tools: Tools, plan: Plan, times: DayTimes, line: PositionLine, book: LadderBook) -> None:
        self.plan = plan
        self.times = times
        self.line = line
        self.ladder: Ladder | None = None
        self.why_not = "the day's range is not known yet"
        self._tools = tools
        self._book = book
        self._seen = 0
        self._entry_settled = True
        self._saved: Mapping[str, Any] = {}

    # -- setting up --------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Compute the day's levels; without a range, or with a broken configuration, nothing is traded."""
        if self.plan.day_range is None:
            return
        try:
            ladder = make_ladder(self.plan, self.times)
        except (LadderConfigError, ValueError) as error:
            self.why_not = str(error)
            self._tools.alarm(self.line.ref.client_id, "LADDER_REFUSED", f"{self.plan.instrument.key}: {error}")
            return
        self.ladder = ladder
        self.why_not = ladder.not_traded.reason if ladder.not_traded else ""

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Go on where another process stopped. What an entry came to is asked of the broker by `settle_entry`."""
        if self.ladder is not None:
            self.ladder.restore(snapshot["ladder"])
        self.line.position = max(self.line.position, int(snapshot["position"]))
        self._entry_settled = bool(snapshot["entry_settled"])
        wish = snapshot["wish"]
        if wish is not None:
            purpose, keep = Purpose(wish["purpose"]), int(wish["keep"])
            self.line.want_exit(ExitWish(purpose, keep, wish["reason"], bool(wish["whole"]), int(wish["round"])))
        self._saved = snapshot

    def settle_entry(self, filled: int | None) -> None:
        """After a restart: the last entry filled `filled` units in all; None while it may still fill."""
        if not self._entry_settled and filled is not None:
            self.entry_finished(filled)

    def announce(self) -> None:
        """Put the one event of an instrument that is left alone today into the log."""
        if self.ladder is not None and self.ladder.not_traded is not None:
            self._record(self.ladder.not_traded.word, self.ladder.not_traded.as_dict())

    # -- TickTaker ---------------------------------------------------------------------------------------------

    @property
    def token(self) -> int:
        """The instrument's feed token."""
        return self.plan.instrument.token

    @property
    def is_blocked(self) -> bool:
        """True while ticks wait: an entry works, or the ladder is flat and its last orders are not done."""
        if self.ladder is None or self.line.is_held:
            return True
        is_entering = bool(self.line.live_entries or self.line.entry_wish)
        return is_entering or (self.ladder.position_side is None and not self.line.is_quiet)

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

    def entry_finished(self, filled: int) -> None:
        """Follow what was really filled."""
        self._entry_settled = True
        if self.ladder is not None:
            self.ladder.entry_filled(filled)
            if filled == 0:
                self._record("ENTRY_FAILED", {"reason": "the entry came to nothing"})
        self._changed()

    def shrunk(self, units: int) -> None:
        """The client closed a part by hand: go on with what is left."""
        if self.ladder is not None:
            self.ladder.open_corrected(units)
            self._record("POSITION_SHRUNK", {"open": units, "reason": "closed outside of this system"})
        self._changed()

    def line_changed(self) -> None:
        """Look at the tick that had to wait."""
        self._book.refresh(self.token)
        tick = self._book.last(self.token)
        if tick is not None and not self.is_blocked and self._book.count(self.token) > self._seen:
            self.on_tick(tick)
            self._book.refresh(self.token)

    # -- outranked ---------------------------------------------------------------------------------------------

    def flatten(self, purpose: Purpose, reason: Mapping[str, Any], *, ends_day: bool) -> None:
        """Close everything of this line for a reason that outranks the ladder; `ends_day` also ignores later ticks."""
        self._record_flattening(purpose, reason)
        if self.ladder is not None:
            self.ladder.end_day() if ends_day else self.ladder.closed()
        self.line.want_exit(ExitWish(purpose, 0, reason, is_whole=True))
        self._changed()

    def _record_flattening(self, purpose: Purpose, reason: Mapping[str, Any]) -> None:
        wished = self.line.wish
        if self.line.lot == 0 or (wished is not None and wished.keep == 0):
            return
        tick = self._book.last(self.token)
        side = "long" if self.line.lot > 0 else "short"
        told = {"event": purpose.value, "side": side, "quantity": abs(self.line.lot), **reason}
        self._record(purpose.value, {**told, "ltp": format_scaled(tick.ltp)} if tick else told)

    # -- inside ------------------------------------------------------------------------------------------------

    def _decide(self, events: Sequence[TickEvent], tick: Tick) -> None:
        for event in events:
            self._record(event.word, self._told(event, tick))
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
        """The event in the paper's words, the tick that caused it, and the ladder's levels."""
        levels = self.ladder.levels.of(event.side).as_dict() if self.ladder and self.ladder.levels else {}
        seen = {"ltp": format_scaled(tick.ltp), "exchange_ts": tick.exchange_ts, "volume": tick.volume}
        return {**event.as_dict(), "tick": seen, "levels": levels}

    def _record(self, kind: str, data: Mapping[str, Any]) -> None:
        ref = self.line.ref
        self._tools.journal.record(kind, ref.client_id, data, account=ref.key, instrument=self.line.instrument)

    def _changed(self) -> None:
        self._book.refresh(self.token)
        self.save()

    def save(self) -> None:
        """Commit the present state when it differs from the last one. Called before any order of it is submitted."""
        if self.ladder is None:
            return
        snapshot = self._snapshot(self.ladder)
        if snapshot != self._saved:
            self._saved = snapshot
            self._tools.spawn(self._store(snapshot), "save ladder")

    async def _store(self, snapshot: Mapping[str, Any]) -> None:
        try:
            record = LadderRecord(self.line.ref.key, self.line.instrument, snapshot)
            await self._tools.store.save_ladder(self._tools.day, record)
        except StoreUnavailable as error:
            self._saved = {}  # the next change, or the next look, saves it again
            logger.warning("the ladder of %s was not saved: %s", self.line.instrument, error)

    def _snapshot(self, ladder: Ladder) -> dict[str, Any]:
        wish = self.line.wish
        return {
            "ladder": ladder.snapshot(),
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
