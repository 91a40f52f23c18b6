"""Adopting the broker's word: once, by name, only where it stands as it was shown, and never in a single look."""

from dataclasses import replace
from typing import Any

import pytest

from tests.engine.stage import DAY, GILLETTE, Stage
from tests.fakes.broker import REST
from trading.domain.control import CommandKind
from trading.domain.orders import BrokerPosition, Side
from trading.engine.desk import AccountDesk

KEY = GILLETTE.key
ENTRY = (("09:15:00", "108.00"), ("09:15:01", "108.10"))


async def drifted(stage: Stage, units: int = -100) -> AccountDesk:
    """Hold 100; the broker's positions show `units` more or less, and no trade and no order tells why."""
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    await stage.ticks(*ENTRY)
    real = stage.broker.positions

    async def shown() -> list[BrokerPosition]:
        sold, bought = max(0, -units), max(0, units)
        return [
            replace(row, net_quantity=row.net_quantity + units, bought=row.bought + bought, sold=row.sold + sold)
            for row in await real()
            if row.bought is not None and row.sold is not None
        ]

    stage.broker.positions = shown  # type: ignore[method-assign]
    await stage.settle(60.0)
    return stage.session.house.accounts["kite:AB1001"].desk


async def adopt(stage: Stage, shown: int, **changes: Any) -> dict[str, Any]:
    wish = {"account_key": "kite:AB1001", "instrument": KEY, "product": "MIS", "shown": shown, "by": "alice"}
    number = stage.store.add_command(CommandKind.ADOPT, 1, {**wish, **changes}, day=DAY)
    await stage.settle(6.0)
    return dict(stage.store.results[number])


@pytest.mark.proves("F29", "I9")
async def test_the_brokers_word_is_adopted_with_the_persons_name_and_nothing_is_sent(stage: Stage) -> None:
    desk = await drifted(stage)
    assert not desk.is_reconciled

    result = await adopt(stage, 0)

    assert result["adopted"] is True
    assert (desk.orders.lot(KEY), desk.orders.net(KEY), desk.is_reconciled) == (0, 0, True)
    assert [(e.data["was"], e.data["is"], e.data["by"]) for e in stage.events("ADOPTED")] == [(100, 0, "alice")]
    await stage.tick("09:17:00", "103.00")
    assert len(stage.sent()) == 1


async def test_adopting_twice_changes_nothing_more_also_after_a_restart(stage: Stage) -> None:
    desk = await drifted(stage, -40)
    await adopt(stage, 60)

    again = await adopt(stage, 60)
    assert (again["adopted"], desk.orders.net(KEY)) == (False, 60)
    assert "agree" in again["text"]
    await stage.stop()
    await stage.start()
    await stage.settle(3.0)

    desk = stage.session.house.accounts["kite:AB1001"].desk
    assert (desk.orders.lot(KEY), desk.orders.net(KEY), desk.is_reconciled) == (60, 60, True)
    assert len(stage.events("ADOPTED")) == 1
    await stage.tick("09:18:00", "103.00")
    assert stage.sent()[1:] == [("STOP", "SELL", 60)]


async def test_a_trade_that_is_listed_after_all_is_not_counted_on_top_of_the_adoption(stage: Stage) -> None:
    desk = await drifted(stage)
    before = stage.clock.now()
    stage.clock.set_ist("09:16:00")
    await adopt(stage, 0)

    stage.broker.trade_by_hand(KEY, Side.SELL, 100)
    stage.broker.fills[-1] = replace(stage.broker.fills[-1], filled_at=before)
    del stage.broker.positions  # the fake's own again
    await stage.settle(40.0)

    assert (desk.orders.net(KEY), stage.broker.net(KEY), desk.is_reconciled) == (0, 0, True)


@pytest.mark.parametrize(("shown", "words"), [(50, "shows 0 by now, not +50"), (100, "shows 0 by now, not +100")])
async def test_what_is_not_there_any_more_as_it_was_shown_is_not_adopted(stage: Stage, shown: int, words: str) -> None:
    desk = await drifted(stage)

    result = await adopt(stage, shown)

    assert result["adopted"] is False
    assert words in result["text"]
    assert not desk.is_reconciled


async def test_nothing_is_adopted_while_the_broker_cannot_be_read_or_shows_no_row(stage: Stage) -> None:
    desk = await drifted(stage)
    stage.broker.is_readable = False
    assert "could not be read" in (await adopt(stage, 0))["text"]
    stage.broker.is_readable = True

    async def nothing() -> list[BrokerPosition]:
        return []

    stage.broker.positions = nothing  # type: ignore[method-assign]
    assert "could not be read" in (await adopt(stage, 0))["text"]
    assert desk.orders.lot(KEY) == 0 or desk.orders.counted_net(KEY) == 100


async def test_nothing_is_adopted_while_an_order_of_ours_works_there(stage: Stage) -> None:
    desk = await drifted(stage, 30)
    stage.broker.script.append(REST)
    await stage.tick("09:16:00", "103.00")
    assert stage.broker.live()

    result = await adopt(stage, 130)

    assert result["adopted"] is False
    assert desk.orders.counted_net(KEY) == 100


async def test_somebody_elses_account_is_no_account(stage: Stage) -> None:
    await drifted(stage)
    stage.client(2, "XY2001")

    number = stage.store.add_command(
        CommandKind.ADOPT,
        2,
        {"account_key": "kite:AB1001", "instrument": KEY, "product": "MIS", "shown": 0, "by": "charlie"},
        day=DAY,
    )
    await stage.settle(6.0)

    assert stage.store.results[number]["adopted"] is False
    assert stage.events("ADOPTED") == []
