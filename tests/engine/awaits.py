"""Fifty entries on their way, and something done at one of the awaits that one of them goes through."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from trading.domain.orders import IntentState, OrderIntent
from trading.ports import Clock

SENDS = 50
ARRIVES_WITHIN_S = 5.0
UNCLAIMED = (IntentState.NEW, IntentState.DENIED)
WATCHED = ("create_intent", "claim", "place", "resolve")


class Awaits:
    """Counts the awaits by name, and does something at one of them."""

    def __init__(self, at: tuple[str, int], press: Callable[[], Awaitable[None]]) -> None:
        self._at, self._press = at, press
        self._counts: Counter[str] = Counter()
        self.is_pressed = False
        self._may_go_on = asyncio.Event()
        self._may_go_on.set()

    async def come_to(self, name: str) -> None:
        """Let the others go on, as a real await does; press when it is the one.

        Who comes to an await meanwhile stands there until the press is committed, and then goes on at once.
        """
        await asyncio.sleep(0)
        await self._may_go_on.wait()
        self._counts[name] += 1
        if (name, self._counts[name]) == self._at:
            self._may_go_on.clear()
            await self._press()
            self.is_pressed = True
            self._may_go_on.set()

    def around(self, thing: Any) -> Any:
        """Give the same thing, whose watched methods come here before and after."""
        return _Watched(thing, self)


class _Watched:
    def __init__(self, thing: Any, awaits: Awaits) -> None:
        self._thing, self._awaits = thing, awaits

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._thing, name)
        if name not in WATCHED:
            return real

        async def call(*args: Any, **kwargs: Any) -> Any:
            await self._awaits.come_to(f"before {name}")
            answer = await real(*args, **kwargs)
            await self._awaits.come_to(f"after {name}")
            return answer

        return call


def noting(seen: dict[str, float], clock: Clock) -> Callable[[OrderIntent], None]:
    """Note when each entry reaches its broker, by tag."""

    def note(intent: OrderIntent) -> None:
        if not intent.key.purpose.is_exit:
            seen[intent.tag] = clock.monotonic()

    return note
