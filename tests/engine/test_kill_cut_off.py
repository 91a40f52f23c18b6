"""A kill file while the database has been away for long: cancels and exits leave all the same, and are told later."""

import pytest

from tests.engine.stage import GILLETTE, Stage
from trading.domain.control import TradingState

ENTRY = (("09:15:00", "108.00"), ("09:15:01", "108.10"))

pytestmark = pytest.mark.proves("F67", "I7", database="none")


async def test_positions_are_closed_and_confirmed_and_the_database_learns_of_it(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    await stage.ticks(*ENTRY)
    stage.store.is_available = False
    await stage.settle(8.0)

    stage.kill_files.touch("house")
    await stage.settle(20.0)
    assert stage.broker.net(GILLETTE.key) == 0
    assert [purpose for purpose, _, _ in stage.sent()] == ["ENTRY", "KILL"]
    assert stage.store.results == {}  # nobody could write it yet

    stage.store.is_available = True
    await stage.settle(20.0)
    assert stage.store.house_state is TradingState.HALTED
    assert [result["flat"] for result in stage.store.results.values()] == [True]


async def test_a_working_entry_is_cancelled(stage: Stage) -> None:
    stage.client().script.append("rest")
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    await stage.ticks(*ENTRY)
    stage.store.is_available = False
    await stage.settle(4.0)
    assert len(stage.broker.live()) == 1

    stage.kill_files.touch("house")
    await stage.settle(5.0)

    assert stage.broker.live() == []
