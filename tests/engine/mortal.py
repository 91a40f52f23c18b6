"""A process that dies at one of its calls, and the next one that goes on in its place.

A dead process is one whose every call hangs for ever: nothing it had in mind leaves any more.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any

from tests.engine.stage import Stage
from trading.ports import AccountRef, Broker


class Mortal:
    """Counts calls over all ports of one process; at call `dies_at` it dies, and every later call hangs."""

    def __init__(self, dies_at: int, *, after_the_call: bool) -> None:
        self.calls = 0
        self.is_dead = False
        self._dies_at = dies_at
        self._after_the_call = after_the_call

    def port(self, inner: Any) -> Any:
        """Wrap a port."""
        return _MortalPort(self, inner)

    async def call(self, function: Any, *args: Any, **kwargs: Any) -> Any:
        """Carry out one call, or die."""
        if self.is_dead:
            await asyncio.Event().wait()
        self.calls += 1
        dies = self.calls == self._dies_at
        if dies and not self._after_the_call:
            self.is_dead = True
            await asyncio.Event().wait()
        result = await function(*args, **kwargs)
        if dies:
            self.is_dead = True
            await asyncio.Event().wait()
        return result


class _MortalPort:
    def __init__(self, mortal: Mortal, inner: Any) -> None:
        self._mortal = mortal
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        function = getattr(self._inner, name)
        if name == "order_updates":
            return self._updates
        if not asyncio.iscoroutinefunction(function) or name in ("control", "renew", "observe", "announce", "close"):
            return function
        return lambda *args, **kwargs: self._mortal.call(function, *args, **kwargs)

    async def _updates(self) -> AsyncIterator[Any]:
        async for update in self._inner.order_updates():
            if self._mortal.is_dead:
                await asyncio.Event().wait()
            yield update


async def bury(stage: Stage, mortal: Mortal) -> None:
    """Take a dead process's tasks away without letting it do anything more."""
    mortal.is_dead = True
    assert stage.engine is not None
    assert stage.task is not None
    doomed = [stage.task, *stage.engine._tasks]
    for session in (stage.engine.session, stage.engine._starting):
        if session is not None:
            doomed += list(session.tools.work._tasks)
    for task in doomed:
        task.cancel()
    stage.engine = stage.task = None
    await asyncio.sleep(0)


async def live_through(stage: Stage, mortal: Mortal, moves: Iterable[tuple[str, str]]) -> None:
    """Play (time of day, price) to a first process that dies when it is told to, and from there on to a second one."""
    brokers = dict(stage.brokers)

    def broker_for(ref: AccountRef) -> Broker:
        port: Broker = mortal.port(brokers[ref.key])
        return port

    store = mortal.port(stage.store)
    await stage.start(
        store=store, leases=store, broker_for=broker_for, history_for=lambda ref: mortal.port(stage.history)
    )
    is_second = False
    for at, price in moves:
        await stage.tick(at, price)
        if mortal.is_dead and not is_second:
            is_second = True
            await _succeed(stage, mortal)
            await stage.settle(4.0)
            await stage.tick(at, price)
            await stage.settle(20.0)
    if not is_second:
        await _succeed(stage, mortal)
    await stage.settle(20.0)


async def _succeed(stage: Stage, mortal: Mortal) -> None:
    await bury(stage, mortal)
    await stage.start(holder="second")
