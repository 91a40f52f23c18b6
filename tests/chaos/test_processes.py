"""Real processes are killed, stopped and continued while orders are on their way: nothing is lost or doubled."""

import pytest

from tests.chaos.arena import A_WHILE_S, WHEN_TAKING_OVER, Arena
from trading.engine.crash_points import POINTS

pytestmark = [pytest.mark.processes, pytest.mark.timeout(400)]


BY_ORDERS = (
    *("before_intent_commit", "after_intent_commit", "before_claim", "after_claim", "after_send"),
    *("before_ack_commit", "after_fill_commit"),
)
BY_FAULTS = {"cancel_sent": "F18"}
"""What the broker must do for an order to be cancelled."""
IN_PROCESS_ONLY = frozenset(
    {"change_sent", "kill_half_way", "before_journal", "journal_synced", "journal_answered", "journal_imported"}
)
"""tests/engine/test_crash_points.py dies there."""


def test_every_named_point_is_died_at_somewhere() -> None:
    assert {*BY_ORDERS, *BY_FAULTS, *WHEN_TAKING_OVER} | IN_PROCESS_ONLY == POINTS


@pytest.mark.proves("F43", "F44", "F45", "I1", "I2", "I16")
@pytest.mark.parametrize("point", [*BY_ORDERS, *sorted(BY_FAULTS), *sorted(WHEN_TAKING_OVER)])
def test_an_engine_that_dies_at_a_named_point_loses_and_doubles_nothing(arena: Arena, point: str) -> None:
    arena.until_the_engine_works()
    if point in BY_FAULTS:
        arena.fault(BY_FAULTS[point])

    arena.crash_at(point)

    arena.heal()
    arena.advance(A_WHILE_S)
    arena.settle()


@pytest.mark.proves("F56", "I16")
def test_a_killed_engine_is_replaced(arena: Arena) -> None:
    arena.until_the_engine_works()
    killed = arena.holder()
    arena.begin_to_advance(A_WHILE_S)
    arena.kill("strategy")

    arena.until_the_engine_works(besides=killed)

    arena.advance(A_WHILE_S)
    arena.settle()


@pytest.mark.proves("F46", "I14")
def test_an_engine_that_was_stopped_and_goes_on_sends_nothing_under_its_old_epoch(arena: Arena) -> None:
    arena.until_the_engine_works()
    arena.begin_to_advance(2 * A_WHILE_S)
    pid = arena.freeze("strategy")
    try:
        arena.stack.until(lambda: arena.holder().startswith("standby"), 30, "the standby to take over")
    finally:
        arena.thaw(pid)

    arena.until_the_engine_works()

    arena.advance(A_WHILE_S)
    arena.settle()


@pytest.mark.proves("F47")
def test_an_engine_whose_loop_stalls_is_replaced_by_the_standby_and_comes_back(arena: Arena) -> None:
    arena.until_the_engine_works()
    for _ in range(3):
        pid = arena.freeze("strategy")
        arena.advance(60)
        arena.thaw(pid)

    arena.until_the_engine_works()

    arena.advance(A_WHILE_S)
    arena.settle()


@pytest.mark.parametrize("name", ["sentinel", "ticker", "worker", "beat", "web"])
@pytest.mark.proves("F48", "F49", "I17")
def test_any_other_process_may_die(arena: Arena, name: str) -> None:
    arena.begin_to_advance(A_WHILE_S)
    arena.kill(name)

    arena.wait_for_the_market()

    arena.settle()
