"""Finds today's opening ranges: by the packets of the feed where they prove it, else by the broker's candles.

A range counts once it is committed, so that every line, page and later life of the engine has the same. Until
then, and when it cannot be known, its lines enter nothing.
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from trading.domain.errors import StoreUnavailable
from trading.domain.instruments import Instrument
from trading.domain.ladder_config import LadderConfigError
from trading.domain.opening_range import OpeningRange, OpeningTicks, OpeningWindow, judge_candles
from trading.domain.ticks import Tick
from trading.domain.timezone import at_ist, midnight_epoch
from trading.engine.day_plan import window_of
from trading.engine.history import HistoryReader
from trading.engine.house import House
from trading.engine.runner import LadderRunner
from trading.engine.tools import Tools, Way
from trading.ports import Plan

logger = logging.getLogger(__name__)

LOOKS_AFTER = timedelta(seconds=5)
"""Market time after the window at which candles are asked for though no packet told that it is over."""
LOOKS_AGAIN_AFTER = tuple(timedelta(seconds=s) for s in (3, 5, 10, 15, 30))
CANDLES_BEYOND = timedelta(minutes=5)
"""So much after the window is asked for too: a later candle shows that the window's last one is final."""
ALARMS_AFTER_TRIES, ALARMS_AFTER = 3, timedelta(seconds=90)
"""A range that is not known by then is told to a person: its candles should long be final."""

Key = tuple[str, str, int]
"""Broker, instrument, minutes."""


class _Search:
    """One window of one instrument that lines wait for, and what was seen of it."""

    def __init__(self, broker: str, instrument: Instrument, window: OpeningWindow, on_over: Callable[[], None]) -> None:
        self.broker = broker
        self.instrument = instrument
        self.window = window
        self.ticks = OpeningTicks(window)
        self.tries = 0
        self.is_looking = False
        self.alarmed: set[int] = set()
        self._midnight = midnight_epoch(window.day)
        self._on_over = on_over

    @property
    def key(self) -> Key:
        return self.broker, self.instrument.key, self.window.minutes

    def see(self, tick: Tick) -> bool:
        """Take in a packet; True when it tells that the window is over."""
        is_over = self.ticks.take(tick.exchange_ts - self._midnight, tick)
        if is_over:
            self._on_over()
        return is_over


class OpeningRanges:
    """One search an instrument and window, however many lines wait for it."""

    def __init__(self, tools: Tools, house: House) -> None:
        self._tools = tools
        self._house = house
        self._history = HistoryReader(tools.deps.history_for)
        self._searches: dict[Key, _Search] = {}
        self._found: dict[Key, OpeningRange] = {}

    def completed(self, plan: Plan, broker: str) -> Plan:
        """Give a plan with the range that was found while the book was read."""
        if plan.day_range is not None or plan.why_no_range or not self._found:
            return plan
        try:
            window = window_of(plan, self._tools.day)
        except LadderConfigError:
            return plan  # the ladder is refused with the reasons
        found = self._found.get((broker, plan.instrument.key, window.minutes)) if window else None
        return replace(plan, day_range=found.reference(), why_no_range=found.why_not) if found else plan

    def want(self, runner: LadderRunner) -> None:
        """Find the range that a ladder waits for, if it waits for one."""
        window, ref, instrument = runner.waits_for, runner.line.ref, runner.plan.instrument
        if window is None or (ref.broker, instrument.key, window.minutes) in self._searches:
            return
        search = _Search(ref.broker, instrument, window, lambda: self._look_soon(search))
        self._searches[search.key] = search
        if self._tools.now() < window.end:
            self._house.book.tell_packets(instrument.token, search.see)
            self._set_timer(search, window.end + LOOKS_AFTER)
        else:
            self._look_soon(search)

    async def close(self) -> None:
        """Give the connections to the brokers' histories back."""
        await self._history.close()

    # -- looking -----------------------------------------------------------------------------------------------

    def _set_timer(self, search: _Search, at: datetime) -> None:
        self._tools.timers.set(("opening range", *search.key), at, lambda: self._look_soon(search))

    def _look_soon(self, search: _Search) -> None:
        """Look, unless somebody does so already. The market waits for it."""
        if self._searches.get(search.key) is search and not search.is_looking:
            search.is_looking = True
            self._tools.spawn(self._look(search), f"opening range of {search.instrument.key}")

    async def _look(self, search: _Search) -> None:
        waiting = self._waiting(search)
        if not waiting:
            self._forget(search)
            return
        try:
            if (
                self._tools.right.way() is Way.JOURNAL
            ):  # nothing is entered, and who may read candles cannot be looked up
                self._later(search, "the database is away")
                return
            found = await self._find(search, waiting)
            if isinstance(found, OpeningRange):
                self._known(search, await self._tools.store.save_opening_range(self._tools.day, found))
            else:
                self._later(search, found)
        except StoreUnavailable as error:
            self._later(search, f"it could not be stored ({error})")
        except Exception as error:
            logger.exception("looking for the opening range of %s failed", search.instrument.key)
            self._later(search, f"looking for it failed ({type(error).__name__})")
        finally:
            search.is_looking = False

    async def _find(self, search: _Search, waiting: list[LadderRunner]) -> OpeningRange | str:
        """Give what the window was, or why that is not known yet."""
        empty = OpeningRange(search.broker, search.instrument.key, search.window.minutes, told_by="ticks")
        if proven := search.ticks.proven():
            return replace(empty, high=proven[0], low=proven[1])
        now, window = self._tools.now(), search.window
        accounts = sorted({runner.line.ref for runner in waiting}, key=lambda ref: ref.key)
        until = min(now, window.end + CANDLES_BEYOND)
        candles = await self._history.minutes(accounts, search.instrument, window.begin, until)
        if candles is None:
            return "the broker's candles could not be read"
        verdict = judge_candles(candles, window, seen=search.ticks, now=now)
        if verdict.wait:
            return verdict.wait
        why_not = "" if verdict.high else f"no trade from {window.words()}"
        return replace(empty, told_by="candles", high=verdict.high, low=verdict.low, why_not=why_not)

    # -- what came of it ---------------------------------------------------------------------------------------

    def _waiting(self, search: _Search) -> list[LadderRunner]:
        """Give the ladders that still wait for this range and may enter today."""
        now, day = self._tools.now(), self._tools.day
        return [
            runner
            for runner in self._house.runners.values()
            if runner.waits_for == search.window
            and (runner.line.ref.broker, runner.line.instrument) == search.key[:2]
            and now < at_ist(day, runner.times.no_new_entry_after)
        ]

    def _known(self, search: _Search, found: OpeningRange) -> None:
        self._found[search.key] = found
        self._forget(search)
        for runner in self._waiting(search):
            runner.take_range(found)

    def _forget(self, search: _Search) -> None:
        del self._searches[search.key]
        self._tools.timers.cancel(("opening range", *search.key))

    def _later(self, search: _Search, why: str) -> None:
        now, key = self._tools.now(), search.instrument.key
        logger.info("the opening range of %s is not known yet: %s", key, why)
        wait = LOOKS_AGAIN_AFTER[min(search.tries, len(LOOKS_AGAIN_AFTER) - 1)]
        search.tries += 1
        self._set_timer(search, now + wait)
        if search.tries < ALARMS_AFTER_TRIES or now < search.window.end + ALARMS_AFTER:
            return
        text = f"{key}: nothing is entered, its opening range ({search.window.words()}) is not known: {why}"
        for runner in self._waiting(search):
            client_id = runner.line.ref.client_id
            if client_id not in search.alarmed:
                search.alarmed.add(client_id)
                self._tools.alarm(client_id, "OPENING_RANGE_UNKNOWN", text, account=runner.line.ref.key)
