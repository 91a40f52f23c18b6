"""Calls to the database, its lease and the exit journal that go wrong one by one: not done, or done and not answered.

What a call is about decides what comes of it, so it is hit by its name and by the order that it is about. As on the
thread of a database, what is asked meanwhile waits until the call is over, whoever has stopped waiting for it. The
draws have a chance of their own: days that somebody knows by their seed alone stay what they were.
"""

import asyncio
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any

from trading.domain.errors import JournalUnavailable, StoreUnavailable, TradingError
from trading.domain.orders import Purpose
from trading.ports import Clock
from trading.simulation.memory_store import MemoryStore
from trading.simulation.troubles import Trouble

SHARE = 0.12
"""Of the days have some."""
STORE, JOURNAL = "F40", "F42"
STEPS = 220
"""About as many as a day has."""
ORDER_CALLS = ("create_intent", "claim", "resolve", "save_order", "append_events")
STORE_CALLS = (
    *("never_sent", "save_trades", "save_ladder", "claim_change", "import_exit", "load_book", "control"),
    *("finish_command", "lower_state", "store_press", "save_reconciliation", "raise_alarm"),
)
LEASE_CALLS = ("renew", "acquire", "observe")
JOURNAL_CALLS = ("write_ahead", "note", "pending", "imported")
ENTRY, EXIT = "entry", "exit"
ABOUT = ("", ENTRY, EXIT, EXIT, "TARGET", "STOP", "SQUARE_OFF", "KILL", "DISASTER_STOP")
HOWS = ("fails", "late", "late, fails", "done, fails", "done, late", "done, late, fails")
FOR_S = (2.5, 3.2, 5.0, 10.0, 20.0)
NOTES_EVERY_S = 1.0
"""So often the referee hears that an answer is missing still."""
UNSURE_SHARE = 0.3
"""Of the writing calls get no answer while the database is unsure."""

Work = Callable[[], Coroutine[Any, Any, Any]]
Thread = tuple[str, str]
"""(process, port): each has one thread of its own."""


def drawn(seed: int) -> tuple[Trouble, ...]:
    """Draw a day's calls that go wrong, empty where it has none."""
    rng = Random(f"{seed}:unanswered")  # noqa: S311 - the same seed gives the same day
    return calls(rng) if rng.random() < SHARE else ()


def calls(rng: Random) -> tuple[Trouble, ...]:
    """Draw some calls; in one of six cases of the exit journal, while that is needed."""
    if rng.random() < 1 / 6:
        at, call = rng.randrange(STEPS), rng.choice(JOURNAL_CALLS)
        away = {"from": at, "until": at + rng.choice((10, 40)), "how": "down"}
        return Trouble(JOURNAL, "store", away), _trouble(JOURNAL, rng, at, call, "")
    return tuple(_of_store(rng) for _ in range(rng.choice((1, 2, 4))))


def _of_store(rng: Random) -> Trouble:
    kind, at, about = rng.random(), rng.randrange(STEPS), rng.choice(ABOUT)
    if kind < 0.15:
        return _trouble(STORE, rng, at, rng.choice(LEASE_CALLS), "")
    return _trouble(STORE, rng, at, rng.choice(ORDER_CALLS if kind < 0.7 else STORE_CALLS), about)


def _trouble(fault: str, rng: Random, at: int, call: str, about: str) -> Trouble:
    which = {"call": call, "about": about, "nth": rng.randint(1, 3), "times": rng.choice((1, 1, 2, 5))}
    return Trouble(fault, "unanswered", {"at": at, **which, "how": rng.choice(HOWS), "for_s": rng.choice(FOR_S)})


class Answers:
    """Stands between the processes of a day and what they ask. `note` is told each fault that is in the way."""

    def __init__(self, seed: int, clock: Clock, store: MemoryStore) -> None:
        self.note: Callable[[str], None] = lambda fault: None
        self.unsure_by = ""
        """The fault by which the database is silent after some of its commits now; empty where it is not."""
        self._rng = Random(f"{seed}:answers")  # noqa: S311
        self._clock = clock
        self._store = store
        self._armed: list[tuple[Trouble, list[int]]] = []
        """With how many calls are let pass before, and how many go wrong then."""
        self._busy: dict[Thread, tuple[float, str]] = {}

    def arm(self, trouble: Trouble) -> None:
        """Have the `nth` such call from now on go wrong, and those after it, `times` in all."""
        self._armed.append((trouble, [trouble.values["nth"] - 1, trouble.values["times"]]))

    def calm(self) -> None:
        """Let everything be answered."""
        self._armed, self._busy, self.unsure_by = [], {}, ""

    def of(self, process: str, port: str, inner: Any) -> "Answered":
        """Give a port of one process."""
        return Answered(self, (process, port), inner)

    async def call(self, thread: Thread, name: str, args: tuple[Any, ...], work: Work) -> Any:
        """Carry one call out, or not, and answer, or not."""
        if self._busy:
            await self._free(thread)
        trouble = self._trouble_of(name, args) if self._armed else None
        if trouble is not None:
            return await self._go_wrong(thread, name, trouble, work)
        answer = await work()
        if self.unsure_by and thread[1] == "store" and name in ORDER_CALLS and self._rng.random() < UNSURE_SHARE:
            self.note(self.unsure_by)
            raise _error(thread, name)
        return answer

    async def _go_wrong(self, thread: Thread, name: str, trouble: Trouble, work: Work) -> Any:
        how = trouble.values["how"]
        self.note(trouble.fault)
        answer = await work() if how.startswith("done") else None
        if "late" in how:
            self._busy[thread] = self._clock.monotonic() + trouble.values["for_s"], trouble.fault
            await self._free(thread)
        if how.endswith("fails"):
            raise _error(thread, name)
        return await work() if how == "late" else answer

    async def _free(self, thread: Thread) -> None:
        while (found := self._busy.get(thread)) is not None:
            until, fault = found
            self.note(fault)
            if self._clock.monotonic() >= until:
                del self._busy[thread]
            else:
                await asyncio.sleep(min(NOTES_EVERY_S, until - self._clock.monotonic()))

    def _trouble_of(self, name: str, args: tuple[Any, ...]) -> Trouble | None:
        for armed in self._armed:
            trouble, left = armed
            if trouble.values["call"] != name or not self._is_about(trouble.values["about"], args):
                continue
            if left[0]:
                left[0] -= 1
                continue
            left[1] -= 1
            if not left[1]:
                self._armed.remove(armed)
            return trouble
        return None

    def _is_about(self, about: str, args: tuple[Any, ...]) -> bool:
        """Say whether a call is about such an order; one that is about no order fits every wish."""
        purpose = next((found for one in args if (found := self._purpose_of(one)) is not None), None)
        if not about or purpose is None:
            return True
        return about == purpose.value or about == (EXIT if purpose.is_exit else ENTRY)

    def _purpose_of(self, one: Any) -> Purpose | None:
        stored = self._store.intents.get(one if isinstance(one, str) else getattr(one, "tag", ""))
        key = stored.intent.key if stored is not None else getattr(getattr(one, "intent", one), "key", None)
        purpose: Purpose | None = getattr(key, "purpose", None)
        return purpose


class Answered:
    """See `Answers.of`."""

    def __init__(self, answers: Answers, thread: Thread, inner: Any) -> None:
        self._answers = answers
        self._thread = thread
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        """Give a method whose calls may go wrong, made once."""
        real = getattr(self._inner, name)
        if asyncio.iscoroutinefunction(real):
            answers, thread = self._answers, self._thread

            async def called(*args: Any, **kwargs: Any) -> Any:
                return await answers.call(thread, name, args, lambda: real(*args, **kwargs))

            self.__dict__[name] = called
            return called
        return real


def _error(thread: Thread, name: str) -> TradingError:
    if thread[1] == "journal":
        return JournalUnavailable(f"the exit journal did not answer ({name})")
    return StoreUnavailable(f"the database did not answer ({name})")
