"""An exit that rests unfilled goes further through the market by changing it: never a second one, never for ever."""

from decimal import Decimal

import pytest

from tests.engine.stage import GILLETTE, INFY, Stage
from tests.fakes.broker import CAPPED, DROPPED, LOST, REJECT, REST
from trading.domain.orders import IntentState, OrderType
from trading.engine.orders import MOST_CHANGES

KEY = GILLETTE.key
ENTRY = (("09:15:00", "108.00"), ("09:15:01", "108.10"))
STEPS = ("09:15:04", "09:15:08", "09:15:16")
TAG = "AB1001-2"


async def stopped_out(stage: Stage, *changes: str, band: tuple[str, str] | None = None) -> Stage:
    """Enter, hit the stop at 103.00 with an exit that rests; its changes come to `changes`."""
    broker = stage.client()
    broker.script.extend(["fill", REST])
    broker.change_script.extend(changes)
    if band:
        broker.bands[KEY] = (Decimal(band[0]), Decimal(band[1]))
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    await stage.ticks(*ENTRY)
    await stage.tick("09:15:02", "103.00")
    return stage


async def at(stage: Stage, *moments: str) -> None:
    for moment in moments:
        await stage.at(moment, 1.5)


def limits(stage: Stage) -> list[Decimal | None]:
    return [change.price for _, change in stage.broker.changed]


@pytest.mark.proves("F23", "I6", "I27")
async def test_an_exit_that_rests_goes_two_three_and_five_percent_through_the_market_and_then_alarms(
    stage: Stage,
) -> None:
    await stopped_out(stage)

    await at(stage, *STEPS)
    assert stage.alarm_codes() == []
    await at(stage, "09:15:24")

    assert limits(stage) == [Decimal("100.95"), Decimal("99.90"), Decimal("97.85")]
    assert len(stage.broker.placed) == 2
    assert stage.broker.cancelled == []
    assert stage.alarm_codes() == ["EXIT_NOT_FILLED"]
    assert "cannot exit 100 NSE:GILLETTE" in stage.store.alarms[0][2]


@pytest.mark.proves("F23")
async def test_an_exit_that_fills_by_a_step_is_over(stage: Stage) -> None:
    await stopped_out(stage)
    stage.broker.fills_changed = True

    await at(stage, *STEPS, "09:15:24")

    assert len(stage.broker.changed) == 1
    assert stage.broker.net(KEY) == 0
    assert stage.alarm_codes() == []


@pytest.mark.proves("F23")
async def test_a_step_never_goes_back_towards_the_market(stage: Stage) -> None:
    await stopped_out(stage)
    await at(stage, "09:15:04")

    await stage.tick("09:15:07", "106.00")
    await at(stage, "09:15:08", "09:15:16")

    assert limits(stage) == [Decimal("100.95"), Decimal("100.70")], "3 % of 106.00 would be nearer"


@pytest.mark.proves("F22", "I6", "I27")
async def test_a_locked_circuit_is_told_at_once_and_the_order_rests_without_a_loop(stage: Stage) -> None:
    await stopped_out(stage, band=("103.00", "125.00"))

    await at(stage, *STEPS, "09:15:24", "09:15:54", "09:16:24")

    assert limits(stage) == [Decimal("103.00")]
    assert stage.broker.cancelled == []
    assert len(stage.broker.placed) == 2
    assert stage.alarm_codes() == ["EXIT_LOCKED"]
    assert "cannot exit 100 NSE:GILLETTE" in stage.store.alarms[0][2]


@pytest.mark.proves("F22")
async def test_a_locked_order_is_looked_at_again_when_its_band_moves(stage: Stage) -> None:
    await stopped_out(stage, band=("103.00", "125.00"))
    await at(stage, *STEPS, "09:15:24")

    stage.broker.bands[KEY] = (Decimal("98.00"), Decimal("125.00"))
    await at(stage, "09:15:54")

    assert limits(stage) == [Decimal("103.00"), Decimal("98.00")]


@pytest.mark.proves("F23")
async def test_without_a_price_the_broker_is_told_how_wide_to_go(stage: Stage) -> None:
    await stopped_out(stage)
    stage.broker.is_readable = False

    await at(stage, "09:15:04")

    (_, change) = stage.broker.changed[0]
    assert (change.order_type, change.price, change.protection_percent) == (OrderType.MARKET, None, Decimal(2))


@pytest.mark.proves("F23", "I3")
@pytest.mark.parametrize("outcome", [LOST, DROPPED])
async def test_a_change_in_doubt_is_looked_up_and_not_repeated(stage: Stage, outcome: str) -> None:
    await stopped_out(stage, outcome)
    stage.broker.tells_updates = False

    await at(stage, "09:15:04")
    assert len(stage.broker.changed) == 1
    (found,) = stage.events("CHANGE_LOOKED_UP")
    assert found.data["is_in_book"] is (outcome == LOST)

    await at(stage, "09:15:08")
    assert limits(stage) == [Decimal("100.95"), Decimal("99.90")]


@pytest.mark.proves("F23", "I3")
async def test_no_change_follows_one_in_doubt_before_the_book_was_read(stage: Stage) -> None:
    await stopped_out(stage, DROPPED)
    real = stage.broker.orders

    async def unreadable() -> list[object]:
        raise RuntimeError("no book")

    stage.broker.orders = unreadable  # type: ignore[method-assign, assignment]
    await at(stage, *STEPS, "09:15:24")
    assert len(stage.broker.changed) == 1

    stage.broker.orders = real  # type: ignore[method-assign]
    await stage.settle(10.0)
    await at(stage, "09:15:54")
    assert len(stage.broker.changed) == 2


async def test_a_change_that_meets_the_fill_is_no_failure(stage: Stage) -> None:
    await stopped_out(stage)
    stage.broker.tells_updates = False
    stage.broker.fill(TAG)

    await at(stage, "09:15:04", "09:15:08")

    assert stage.broker.net(KEY) == 0
    assert len(stage.broker.placed) == 2
    assert stage.alarm_codes() == []


@pytest.mark.proves("F18", "F23", "I4")
async def test_what_filled_in_part_meanwhile_is_not_sold_again(stage: Stage) -> None:
    await stopped_out(stage, "partial:60", "partial:30", "partial:10")

    await at(stage, *STEPS)

    assert stage.broker.net(KEY) == 0
    assert len(stage.broker.placed) == 2


@pytest.mark.proves("F25", "I5")
async def test_an_order_that_was_changed_too_often_is_cancelled_and_a_new_one_follows(stage: Stage) -> None:
    await stopped_out(stage)
    stage.session.house.accounts["kite:AB1001"].desk.orders.by_tag[stage.broker.placed[1].tag].changes = MOST_CHANGES

    await at(stage, "09:15:04")

    assert stage.broker.changed == []
    assert stage.broker.cancelled == [TAG]
    assert [purpose for purpose, _, _ in stage.sent()] == ["ENTRY", "STOP", "STOP"]
    assert stage.broker.net(KEY) == 0


@pytest.mark.proves("F25", "I27")
async def test_a_person_is_called_for_each_new_order_when_no_change_is_taken_any_more(stage: Stage) -> None:
    await stopped_out(stage, *[CAPPED] * 40)
    stage.broker.script.extend([REST] * 40)
    for second in range(4, 360, 4):
        await stage.at(f"09:{15 + second // 60}:{second % 60:02}", 1.5)

    stops = [purpose for purpose, _, _ in stage.sent()].count("STOP")
    told = [code for code in stage.alarm_codes() if code in ("EXIT_NOT_FILLED", "EXIT_GIVEN_UP")]
    assert stops > 7
    assert len(told) >= stops - 6, "five tries, and from then on one alarm an order"
    assert len(stage.broker.live()) == 1


@pytest.mark.proves("F25", "I16")
async def test_a_restart_remembers_how_often_an_order_was_changed(stage: Stage) -> None:
    await stopped_out(stage)
    await at(stage, *STEPS)
    await stage.stop()

    await stage.start()

    tag = stage.broker.placed[1].tag
    assert stage.session.house.accounts["kite:AB1001"].desk.orders.by_tag[tag].changes == 3
    assert stage.store.intents[tag].state is IntentState.ACKED


@pytest.mark.proves("F46", "I14")
async def test_whoever_lost_the_lease_changes_nothing(stage: Stage) -> None:
    await stopped_out(stage)
    seen = await stage.store.observe("main")
    await stage.store.acquire("main", "another", seen=seen)

    await stage.at("09:15:04", 0.5)

    assert stage.broker.changed == []


async def test_a_kill_cancels_the_resting_exit_and_closes_what_is_left(stage: Stage) -> None:
    await stopped_out(stage, "partial:60")
    await at(stage, "09:15:04")

    stage.store.press_kill(1)
    await stage.settle(2.0)

    assert stage.sent()[-1] == ("KILL", "SELL", 40)
    assert stage.broker.net(KEY) == 0


async def test_the_quotes_of_exits_that_rest_at_the_same_time_are_one_request(stage: Stage) -> None:
    stage.client().script.extend(["fill", "fill", REST, REST])
    for instrument in (GILLETTE, INFY):
        stage.plan(instrument, quantity=100)
    await stage.start()
    for instrument in (GILLETTE, INFY):
        await stage.tick("09:15:00", "108.00", instrument)
        await stage.tick("09:15:01", "108.10", instrument)
    stage.store.press_kill(1)
    await stage.settle(1.0)

    await at(stage, "09:15:04")

    assert (KEY, INFY.key) in stage.broker.quoted
    assert len(stage.broker.quoted) == 1
    assert len(stage.broker.changed) == 2


async def test_a_refused_change_leaves_the_order_where_it_is_and_the_next_step_follows(stage: Stage) -> None:
    await stopped_out(stage, REJECT)

    await at(stage, "09:15:04", "09:15:08")

    assert limits(stage) == [Decimal("100.95"), Decimal("99.90")]
    assert len(stage.broker.live()) == 1
