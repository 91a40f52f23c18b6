"""A line that is switched off with something open is carried to its end, and enters nothing more."""

from dataclasses import replace

from tests.engine.stage import DAY, GILLETTE, Stage
from trading.domain.control import CommandKind

KEY = ("kite:AB1001", GILLETTE.key)
ENTRY = (("09:15:00", "108.00"), ("09:15:01", "108.10"))
MORE_ENTRIES = {"max_entries_per_side": 3}


async def switched_off(stage: Stage) -> Stage:
    """A client holds 100; then the line is switched off."""
    stage.client()
    stage.plan(GILLETTE, quantity=100, config=MORE_ENTRIES)
    await stage.start()
    await stage.ticks(*ENTRY)
    stage.store.plans = [replace(plan, is_closing=True) for plan in stage.store.plans]
    return stage


async def reload(stage: Stage) -> None:
    stage.store.add_command(CommandKind.RELOAD, 1, day=DAY)
    await stage.settle(1.0)


async def test_its_stop_still_works_and_nothing_is_entered_after_it(stage: Stage) -> None:
    await switched_off(stage)
    await reload(stage)

    await stage.ticks(("09:16:00", "103.00"), ("09:16:01", "108.00"), ("09:16:02", "108.10"))
    await stage.settle(1.0)

    assert stage.sent() == [("ENTRY", "BUY", 100), ("STOP", "SELL", 100)]
    assert KEY not in stage.session.house.runners


async def test_its_stop_still_works_after_a_restart(stage: Stage) -> None:
    await switched_off(stage)
    await stage.stop()

    await stage.start(holder="second")
    await stage.ticks(("09:16:00", "103.00"), ("09:16:01", "108.00"), ("09:16:02", "108.10"))

    assert stage.sent() == [("ENTRY", "BUY", 100), ("STOP", "SELL", 100)]


async def test_one_that_is_flat_is_taken_out_at_once(stage: Stage) -> None:
    await switched_off(stage)
    await stage.tick("09:15:30", "103.00")

    await reload(stage)

    assert KEY not in stage.session.house.runners


async def test_another_configuration_counts_from_the_next_entry_on(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE, quantity=100, config=MORE_ENTRIES)
    await stage.start()
    await stage.ticks(*ENTRY)
    stage.store.plans = [replace(plan, quantity=40) for plan in stage.store.plans]
    await reload(stage)

    await stage.ticks(("09:16:00", "103.00"), ("09:16:01", "108.00"), ("09:16:02", "108.10"))

    assert stage.sent() == [("ENTRY", "BUY", 100), ("STOP", "SELL", 100), ("ENTRY", "BUY", 40)]


async def test_one_that_is_switched_on_again_while_open_enters_again_later(stage: Stage) -> None:
    await switched_off(stage)
    await reload(stage)
    stage.store.plans = [replace(plan, is_closing=False) for plan in stage.store.plans]
    await reload(stage)

    await stage.ticks(("09:16:00", "103.00"), ("09:16:01", "108.00"), ("09:16:02", "108.10"))

    assert stage.sent() == [("ENTRY", "BUY", 100), ("STOP", "SELL", 100), ("ENTRY", "BUY", 100)]
