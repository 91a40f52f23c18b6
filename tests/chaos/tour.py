"""One database's way through a seeded list of troubles, in a thread of its own: two databases share the wait.

A stack lives through all of them, one after the other; the referee judges after each. When its day is used up, or
something went wrong, a new one takes over.
"""

import random
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.arena import Arena
from tests.chaos.inquest import inquest
from tests.chaos.troubles import Trouble

MOST_STACKS_LOST = 3


@dataclass
class Outcome:
    """What came of one trouble: wire seconds of each time that was survived, and how the first other one ended."""

    wanted: int
    seconds: list[float] = field(default_factory=list)
    tried: int = 0
    failure: str = ""
    done: threading.Event = field(default_factory=threading.Event)

    @property
    def is_over(self) -> bool:
        """True once nothing more comes of it."""
        return bool(self.failure) or len(self.seconds) == self.wanted


def itinerary(troubles: Iterable[Trouble], rounds: int, seed: int) -> list[Trouble]:
    """Give every trouble once a round, shuffled within its place."""
    stops = [trouble for trouble in troubles for _ in range(rounds)]
    random.Random(seed).shuffle(stops)
    return sorted(stops, key=lambda trouble: trouble.place)


class Tour:
    """`begin` once; `outcome` waits for one trouble's. Each stop is noted in the file `diary`."""

    def __init__(self, make_arena: Callable[[], Arena], stops: Sequence[Trouble], diary: Path) -> None:
        self._make_arena = make_arena
        self._stops = stops
        self._diary = diary
        self._arena: Arena | None = None
        self._lost = 0
        self._is_called_off = False
        self.outcomes = {stop.name: Outcome(sum(one is stop for one in stops)) for stop in stops}
        self._thread = threading.Thread(target=self._travel, name="tour", daemon=True)

    def begin(self) -> None:
        """Set out."""
        self._thread.start()

    def outcome(self, name: str) -> Outcome:
        """Wait for what came of a trouble."""
        self.outcomes[name].done.wait()
        return self.outcomes[name]

    def end(self) -> None:
        """Call off what is left, and stop the stack."""
        self._is_called_off = True
        if self._arena is not None:
            self._arena.end()
        self._thread.join()

    # -- in the thread -----------------------------------------------------------------------------------------

    def _travel(self) -> None:
        path: list[str] = []
        for stop in self._stops:
            outcome = self.outcomes[stop.name]
            if self._is_called_off or outcome.is_over or self._lost == MOST_STACKS_LOST:
                continue
            try:
                self._go_to(stop, outcome)
            except BaseException as error:  # whatever it was belongs to the test of this trouble
                before = ", ".join(path[-3:]) or "nothing"
                outcome.failure = f"after {before}:\n{''.join(traceback.format_exception(error))}{self._how_it_stood()}"
                self._lose_the_arena()
            path.append(stop.name)
            self._note(stop, outcome)
            if outcome.is_over:
                outcome.done.set()
        for outcome in self.outcomes.values():
            outcome.failure = outcome.failure or (
                "" if outcome.is_over else f"not come to: {self._lost} stacks were lost before"
            )
            outcome.done.set()

    def _go_to(self, stop: Trouble, outcome: Outcome) -> None:
        arena = self._ready_arena()
        began = time.monotonic()
        outcome.tried += 1
        stop.strike(arena)
        arena.heal()
        arena.settle()
        outcome.seconds.append(time.monotonic() - began)

    def _how_it_stood(self) -> str:
        return inquest(self._arena.stack) if self._arena is not None and not self._is_called_off else ""

    def _note(self, stop: Trouble, outcome: Outcome) -> None:
        """Write down how far it came: a long tour can be followed by `tail -f`."""
        words = outcome.failure or f"survived in {outcome.seconds[-1]:.1f} s"
        with self._diary.open("a") as diary:
            diary.write(f"{stop.name}: {words}\n")

    def _ready_arena(self) -> Arena:
        if self._arena is not None and self._arena.is_used_up:
            self._arena.end()
            self._arena = None
        if self._arena is None:
            self._arena = self._make_arena()
            self._arena.begin()
        return self._arena

    def _lose_the_arena(self) -> None:
        arena, self._arena = self._arena, None
        self._lost += 1
        if arena is not None and not self._is_called_off:
            arena.end()
