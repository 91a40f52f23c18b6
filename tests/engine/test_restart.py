"""The process dies at every await point, before or after the call was carried out; the next one goes on.

A dead process is one whose every call hangs for ever: nothing it had in mind leaves any more.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.engine.stage import GILLETTE, Stage
from trading.domain.orders import IntentState
from trading.ports import AccountRef, Broker

KEY = GILLETTE.key
DAY = (
    ("09:15:00", "108.00"),
    ("09:15:01", "108.10"),
    ("09:15:02", "108.60"),
    ("09:15:03", "109.60"),
    ("09:15:04", "108.30"),
)
"""Entry of 100, T1 books 10, T2 and T3 book 20, the stop at Y4 (109.10) takes the rest."""
CALLS = 60
"""More calls than the day makes, so that the last runs end undisturbed."""


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
        if not asyncio.iscoroutinefunction(function) or name in ("control", "renew", "observe", "close"):
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


@pytest.mark.parametrize("after_the_call", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("dies_at", range(1, CALLS))
async def test_a_death_at_any_call_makes_no_second_order_and_leaves_nothing_open(
    dies_at: int, after_the_call: bool
) -> None:
    stage = Stage()
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    mortal = Mortal(dies_at, after_the_call=after_the_call)
    brokers = dict(stage.brokers)

    def broker_for(ref: AccountRef) -> Broker:
        port: Broker = mortal.port(brokers[ref.key])
        return port

    store = mortal.port(stage.store)
    await stage.start(store=store, leases=store, broker_for=broker_for)
    is_second = False
    for at, price in DAY:
        await stage.tick(at, price)
        if mortal.is_dead and not is_second:
            is_second = True
            await bury(stage, mortal)
            await stage.start(holder="second")
            await stage.settle(4.0)
            await stage.tick(at, price)
            await stage.settle(20.0)
    if not is_second:
        await bury(stage, mortal)
        await stage.start(holder="second")
    await stage.settle(20.0)
    await stage.at("15:15:00")
    await stage.settle(5.0)

    placed = stage.broker.placed
    assert len({intent.tag for intent in placed}) == len(placed)
    assert [intent.key.purpose.value for intent in placed].count("ENTRY") <= 1
    assert stage.broker.most_open[KEY] <= 100
    assert stage.broker.net(KEY) == 0
    assert all(trade.side.value == "BUY" for trade in stage.broker.fills[:1])
    unsettled = (IntentState.NEW, IntentState.SENDING, IntentState.IN_DOUBT)
    if any(s.state in unsettled for s in stage.store.intents.values()):
        await stage.settle(130.0)  # an entry's absence takes that long to prove
    assert [s.intent.key.text() for s in stage.store.intents.values() if s.state in unsettled] == []
    await stage.stop()


async def test_the_scenario_makes_fewer_calls_than_are_tried(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    mortal = Mortal(10_000, after_the_call=False)
    brokers = dict(stage.brokers)
    store = mortal.port(stage.store)
    await stage.start(store=store, leases=store, broker_for=lambda ref: mortal.port(brokers[ref.key]))

    await stage.ticks(*DAY)

    assert [purpose for purpose, _, _ in stage.sent()] == ["ENTRY", "TARGET", "TARGET", "STOP"]
    assert 25 < mortal.calls < CALLS


async def test_a_restart_goes_on_with_targets_stop_and_counts_where_it_stopped(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    await stage.ticks(*DAY[:3])
    await stage.stop()

    await stage.start()
    await stage.ticks(("09:20:00", "109.10"), ("09:20:01", "108.55"), ("09:20:02", "108.00"), ("09:20:03", "108.10"))

    assert stage.sent() == [
        ("ENTRY", "BUY", 100),
        ("TARGET", "SELL", 10),
        ("TARGET", "SELL", 10),
        ("STOP", "SELL", 80),
    ]


async def test_an_exit_that_was_decided_but_not_sent_is_decided_again(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    await stage.ticks(*DAY[:2])
    stage.broker.takes_cancels = True
    stage.broker.script.append("hang")
    await stage.tick("09:15:02", "103.00")
    assert stage.broker.placed[-1].key.purpose == "STOP"
    await stage.stop()

    await stage.start()
    await stage.settle(20.0)

    assert [purpose for purpose, _, _ in stage.sent()] == ["ENTRY", "STOP", "STOP"]
    assert stage.broker.net(KEY) == 0
