"""The loop that moves the market: one step, its rounds, and the next step when everybody is done.

A step moves time to the next moment at which something happens, sends the ticks and matches resting
orders against the new prices. Then come rounds: the participants are asked, and what they ordered
meanwhile is matched sorted by tag as soon as every engine has answered; that is another round. The step
is over when all have answered and nothing is pending. At the free pace nobody is waited for.
"""

import asyncio
import logging
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from trading.exchange.clock import MarketClock
from trading.exchange.participants import ENGINE, Participant, Participants

logger = logging.getLogger(__name__)

EXPECTED_WAIT_S = 120.0
BEHIND_AT_MOST_S = 0.05


class SteppedVenue(Protocol):
    """What the loop needs of market and venue; `server` joins the real ones."""

    def step_times(self) -> Sequence[int]: ...
    def advance(self, to_ms: int) -> None:
        """Move prices to this moment, send ticks, match resting orders."""

    def in_flight_s(self) -> float:
        """Give the wire seconds until what is on its way to clients has arrived, 0 for nothing."""

    def has_pending(self) -> bool: ...
    def match_pending(self) -> None: ...
    def frames(self) -> Mapping[str, int]: ...
    def updates(self) -> Mapping[str, int]: ...


class Stepper:
    """Owns market time while it runs. All methods are called on the one event loop."""

    def __init__(
        self,
        clock: MarketClock,
        venue: SteppedVenue,
        participants: Participants,
        *,
        monotonic: Callable[[], float],
        keep: Callable[[], None],
        tell: Callable[[Mapping[str, Any]], None],
        expected_roles: Sequence[str] = (),
    ) -> None:
        """`keep` writes the clock to disk; `tell` sends a message to every participant."""
        self.clock = clock
        self._venue = venue
        self._participants = participants
        self._monotonic = monotonic
        self._keep = keep
        self._tell = tell
        self._expected = tuple(expected_roles)
        self._round = 1
        self._asked_at = monotonic()
        self._stirred = asyncio.Event()

    def stir(self) -> None:
        """Something changed (an answer, an order, a control call): look again."""
        self._stirred.set()

    @property
    def present_round(self) -> tuple[int, int]:
        """Give (step, round) that participants are asked about now."""
        return self.clock.step, self._round

    def round_message(self) -> dict[str, Any]:
        """Give the question of the present round, as the control port sends it."""
        return {
            "type": "round",
            "step": self.clock.step,
            "round": self._round,
            "epoch_ms": self.clock.now_ms,
            "waits": self.clock.pace == "hold",
            "roles": self._participants.roles(),
            "frames": dict(self._venue.frames()),
            "updates": dict(self._venue.updates()),
        }

    async def run(self) -> None:
        """Run the day to its end, then keep matching nothing and stand. Ends only by cancellation."""
        await self._wait_for_expected()
        self._ask()
        begun = self._monotonic()
        while True:
            await self._settle()
            target = self._next_moment()
            if target is None or self.clock.is_held:
                await self._stir_or(None)
                begun = self._monotonic()
            elif await self._pause(target, begun):
                begun = max(self._earliest(target, begun), self._monotonic() - BEHIND_AT_MOST_S)
                self._step(target)

    async def _wait_for_expected(self) -> None:
        deadline = self._monotonic() + EXPECTED_WAIT_S
        while not self._participants.has_seen(self._expected) and self._monotonic() < deadline:
            await self._stir_or(0.5)

    def _next_moment(self) -> int | None:
        clock = self.clock
        if clock.is_finished:
            return None
        times = self._venue.step_times()
        at = bisect_right(times, clock.now_ms)
        candidates = [clock.end_ms]
        if at < len(times):
            candidates.append(times[at])
        due = self._participants.next_due_ms(clock.now_ms)
        if due is not None:
            candidates.append(due)
        if clock.run_until_ms is not None:
            candidates.append(clock.run_until_ms)
        return min(candidates)

    def _earliest(self, target: int, begun: float) -> float:
        """Give the wire moment before which the ceiling forbids the step to `target`."""
        return begun + (target - self.clock.now_ms) / 1000 / self.clock.ceiling

    async def _pause(self, target: int, begun: float) -> bool:
        """Wait for the ceiling. False when something came up that has to be looked at before the step."""
        while not (self.clock.is_held or self._unsettled() or self._next_moment() != target):
            left = self._earliest(target, begun) - self._monotonic()
            if left <= 0:
                return True
            await self._stir_or(left)
        return False

    def _step(self, target: int) -> None:
        self.clock.move_to(target)
        self._keep()  # before anybody sees this moment: after a kill the market never goes back behind it
        self._round = 1
        self._venue.advance(target)
        self._ask()

    def _ask(self) -> None:
        self._asked_at = self._monotonic()
        self._tell(self.round_message())

    def _waiting(self) -> list[Participant]:
        if self.clock.pace == "free":
            return []
        return self._participants.waiting_for(self.clock.step, self._round, self.clock.now_ms)

    def _in_flight_s(self) -> float:
        return 0.0 if self.clock.pace == "free" else self._venue.in_flight_s()

    def _unsettled(self) -> bool:
        return self._venue.has_pending() or bool(self._waiting()) or self._in_flight_s() > 0

    async def _settle(self) -> None:
        was_in_flight = False
        while True:
            waiting = self._waiting()
            if self._venue.has_pending() and not any(one.role == ENGINE for one in waiting):
                self._venue.match_pending()
                self._round += 1
                self._ask()
                continue
            in_flight_s = self._in_flight_s()
            if not waiting and not in_flight_s:
                if not was_in_flight:
                    return
                was_in_flight = False  # something has arrived since the engines were asked
                self._round += 1
                self._ask()
                continue
            was_in_flight = was_in_flight or in_flight_s > 0
            await self._stir_or(min(0.25, in_flight_s or 0.25))
            for gone in self._participants.drop_silent(self._waiting(), asked_at=self._asked_at, at=self._monotonic()):
                logger.warning("participant %s was silent and left the round at step %s", gone.name, self.clock.step)

    async def _stir_or(self, seconds: float | None) -> None:
        self._stirred.clear()
        if seconds is None:
            await self._stirred.wait()
            return
        try:
            async with asyncio.timeout(seconds):
                await self._stirred.wait()
        except TimeoutError:
            return
