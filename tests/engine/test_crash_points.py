"""The process dies at each named crash point, another one goes on: no order is lost, none is doubled, all ends flat."""

from collections.abc import Awaitable, Callable

import pytest

from tests.engine.mortal import Mortal, bury
from tests.engine.stage import GILLETTE, Stage
from tests.fakes.broker import REST
from trading.domain.orders import Side
from trading.engine import crash_points
from trading.engine.crash_points import POINTS
from trading.engine.orders import UNSETTLED
from trading.ports import AccountRef, Broker
from trading.simulation.memory_files import MemoryExitJournal, MemoryLocks

KEY = GILLETTE.key
Move = Callable[[Stage], Awaitable[None]]


class Died(BaseException):
    """The process ended on the spot."""


async def the_day(stage: Stage) -> None:
    """An entry, a stop."""
    for at, price in (("09:15:00", "108.00"), ("09:15:01", "108.10"), ("09:15:10", "108.12"), ("09:16:00", "103.00")):
        await stage.tick(at, price)


async def an_outage(stage: Stage) -> None:
    """An entry, and a stop while the database is away."""
    await stage.tick("09:15:00", "108.00")
    await stage.tick("09:15:01", "108.10")
    stage.store.is_available = False
    await stage.settle(4.0)
    await stage.tick("09:16:00", "103.00")
    await stage.settle(2.0)
    stage.store.is_available = True
    await stage.settle(2.0)


async def an_entry_that_rests(stage: Stage) -> None:
    stage.broker.script.append(REST)
    await stage.tick("09:15:00", "108.00")
    await stage.tick("09:15:01", "108.10")
    await stage.at("09:15:08", 1.0)


async def a_stop_that_rests(stage: Stage) -> None:
    await stage.tick("09:15:00", "108.00")
    await stage.tick("09:15:01", "108.10")
    stage.broker.script.append(REST)
    stage.broker.fills_changed = True
    await stage.tick("09:16:00", "103.00")
    await stage.at("09:16:05", 1.0)


async def a_kill(stage: Stage) -> None:
    await stage.tick("09:15:00", "108.00")
    await stage.tick("09:15:01", "108.10")
    stage.store.press_kill(1)
    await stage.settle(2.0)


MOVES: dict[str, Move] = {
    **dict.fromkeys(("before_journal", "journal_synced", "journal_answered", "journal_imported"), an_outage),
    "cancel_sent": an_entry_that_rests,
    "change_sent": a_stop_that_rests,
    "kill_half_way": a_kill,
}


async def first_life(stage: Stage, monkeypatch: pytest.MonkeyPatch, point: str) -> Mortal:
    """Start a process that dies at `point`: every call of it hangs from then on, and its locks are free."""
    mortal, locks, brokers = Mortal(-1, after_the_call=False), MemoryLocks(stage.machine), dict(stage.brokers)

    def die(code: int) -> None:
        monkeypatch.delenv("ALGO_CRASH_AT")
        mortal.is_dead = True
        locks.die()
        raise Died(code)

    def broker_for(ref: AccountRef) -> Broker:
        port: Broker = mortal.port(brokers[ref.key])
        return port

    monkeypatch.setenv("ALGO_CRASH_AT", point)
    monkeypatch.setattr(crash_points, "end_process", die)
    store = mortal.port(stage.store)
    await stage.start(
        store=store,
        leases=store,
        broker_for=broker_for,
        history_for=lambda ref: mortal.port(stage.history),
        locks=locks,
        exit_journal=mortal.port(MemoryExitJournal(stage.machine, locks)),
        holder="first",
    )
    return mortal


@pytest.mark.proves("F43", "F44", "F45", "I1", "I16", database="none")
@pytest.mark.parametrize("point", sorted(POINTS))
async def test_a_death_at_a_crash_point_loses_and_doubles_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    mortal = await first_life(stage, monkeypatch, point)

    await MOVES.get(point, the_day)(stage)
    assert mortal.is_dead, f"{point} was not come by"
    stage.store.is_available = True
    await bury(stage, mortal)
    await stage.start(holder="second")
    await stage.settle(130.0)  # an entry in doubt is proved absent after two minutes
    await stage.tick("09:20:00", "103.00")
    for at in ("09:20:10", "15:15:00", "15:16:00"):
        await stage.at(at, 15.0)

    tags = [order.tag for order in stage.broker.book.values()]
    assert len(tags) == len(set(tags))
    assert stage.broker.net(KEY) == 0
    assert stage.broker.most_open[KEY] <= 100
    held = 0
    for trade in stage.broker.fills:
        held += trade.quantity if trade.side is Side.BUY else -trade.quantity
        assert held >= 0, "sold more than was open"
    assert {tag for tag, stored in stage.store.intents.items() if stored.state in UNSETTLED} == set()
    assert set(stage.store.intents) >= set(tags), "an order that nobody wrote down"
    assert stage.session.house.accounts["kite:AB1001"].desk.is_reconciled
