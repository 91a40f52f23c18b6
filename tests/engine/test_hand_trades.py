"""What the client trades in the broker's own app is adopted within ten seconds and never fought."""

import pytest

from tests.engine.stage import DAY, GILLETTE, INFY, Stage
from trading.domain.control import CommandKind
from trading.domain.orders import Side
from trading.engine.desk import AccountDesk

KEY = GILLETTE.key
ENTRY = (("09:15:00", "108.00"), ("09:15:01", "108.10"))
WITHIN_S = 10.0


async def entered(stage: Stage) -> AccountDesk:
    """Hold 100 by the ladder at a broker that tells nobody of anything by itself."""
    stage.client().tells_updates = True
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    await stage.ticks(*ENTRY)
    stage.broker.tells_updates = False
    stage.broker.prices[INFY.key] = GILLETTE.tick_size * 2000
    return stage.session.house.accounts["kite:AB1001"].desk


@pytest.mark.proves("F29", "I9")
@pytest.mark.parametrize(
    ("side", "quantity", "lot", "net"),
    [(Side.SELL, 60, 40, 40), (Side.SELL, 100, 0, 0), (Side.SELL, 130, 0, -30), (Side.BUY, 50, 100, 150)],
)
async def test_a_trade_by_hand_is_external_within_ten_seconds_and_shrinks_the_lot(
    stage: Stage, side: Side, quantity: int, lot: int, net: int
) -> None:
    desk = await entered(stage)

    stage.broker.trade_by_hand(KEY, side, quantity)
    await stage.settle(WITHIN_S)

    assert (desk.orders.lot(KEY), desk.orders.net(KEY)) == (lot, net)
    assert [event.data["quantity"] for event in stage.events("EXTERNAL_FILL")] == [quantity]
    assert desk.is_reconciled
    await stage.tick("09:16:00", "103.00")
    assert stage.sent()[1:] == ([("STOP", "SELL", lot)] if lot else [])
    assert stage.broker.net(KEY) == net - lot


@pytest.mark.proves("F29")
async def test_what_was_never_heard_of_is_external_and_only_its_intraday_part_is_squared_off(stage: Stage) -> None:
    desk = await entered(stage)

    stage.broker.trade_by_hand(INFY.key, Side.BUY, 7)
    stage.broker.trade_by_hand(INFY.key, Side.BUY, 5, "CNC")
    await stage.settle(WITHIN_S)
    assert (desk.orders.lot(INFY.key), desk.orders.net(INFY.key)) == (0, 7)
    assert desk.is_reconciled

    stage.store.add_command(CommandKind.SQUARE_OFF, 1, {}, day=DAY)
    await stage.settle(2.0)

    closed = {(i.key.instrument, i.side.value, i.quantity) for i in stage.broker.placed[1:]}
    assert closed == {(KEY, "SELL", 100), (INFY.key, "SELL", 7)}
    assert all(intent.product == "MIS" for intent in stage.broker.placed)
    assert stage.events("SQUARED_OFF"), "what is held for delivery keeps no square-off from its end"


@pytest.mark.proves("F29", "F28")
async def test_a_trade_that_only_the_positions_show_shrinks_the_lot_too(stage: Stage) -> None:
    desk = await entered(stage)
    await stage.settle(1.0)
    stage.broker.lies.tell("lagging", "lagging", "honest")

    stage.broker.trade_by_hand(KEY, Side.SELL, 60)
    await stage.settle(31.0)

    assert (desk.orders.lot(KEY), desk.orders.counted_net(KEY)) == (40, 100)
    assert not desk.is_reconciled
    await stage.tick("09:16:00", "103.00")
    assert stage.sent()[1:] == [("STOP", "SELL", 40)]
    assert stage.broker.net(KEY) == 0


@pytest.mark.proves("F30", "I4")
@pytest.mark.parametrize(("closed", "left"), [(100, 0), (30, 70)])
async def test_what_the_broker_squared_off_itself_a_moment_ago_is_not_closed_again(
    stage: Stage, closed: int, left: int
) -> None:
    await entered(stage)
    await stage.settle(20.0)
    stage.broker.lies.tell("lagging", "lagging", "honest")
    stage.broker.trade_by_hand(KEY, Side.SELL, closed)

    stage.store.add_command(CommandKind.SQUARE_OFF, 1, {}, day=DAY)
    await stage.settle(5.0)

    assert [units for _, _, units in stage.sent()[1:]] == ([left] if left else [])
    assert stage.broker.net(KEY) == 0
    assert "EXIT_FAILED" not in stage.alarm_codes()


@pytest.mark.proves("F29")
async def test_a_position_converted_by_hand_is_followed_and_not_sold_a_second_time(stage: Stage) -> None:
    desk = await entered(stage)

    stage.broker.converted.append((KEY, "CNC", 100))
    await stage.settle(40.0)

    assert (desk.orders.lot(KEY), desk.orders.net(KEY)) == (0, 0)
    assert desk.is_reconciled
    assert [(e.data["product"], e.data["is"], e.data["by"]) for e in stage.events("ADOPTED")] == [
        ("MIS", 0, "the engine"),
        ("CNC", 100, "the engine"),
    ]
    await stage.tick("09:17:00", "103.00")
    assert len(stage.sent()) == 1
    await stage.stop()
    await stage.start()
    await stage.settle(3.0)
    desk = stage.session.house.accounts["kite:AB1001"].desk
    assert (desk.orders.net(KEY), desk.is_reconciled) == (0, True)


@pytest.mark.proves("F29", "I4")
async def test_an_exit_that_crosses_a_hand_is_put_right(stage: Stage) -> None:
    """Between a hand's trade and our hearing of it nobody can know better: what was sold too much is bought back."""
    desk = await entered(stage)
    stage.broker.trade_by_hand(KEY, Side.SELL, 100)
    await stage.tick("09:15:02", "103.00")
    assert stage.broker.net(KEY) == -100

    await stage.settle(WITHIN_S)

    assert stage.broker.net(KEY) == 0
    assert "STRAY_POSITION" in stage.alarm_codes()
    assert desk.orders.net(KEY) == 0
