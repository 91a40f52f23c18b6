"""What becomes of orders that do not simply fill: partial, resting, refused, in doubt, late."""

from decimal import Decimal

import pytest

from tests.engine.stage import GILLETTE, Stage
from tests.fakes.broker import AUTH, DIE, DROPPED, LOST, LOST_RESTING, NEVER_LEFT, REJECT, REST
from trading.domain.orders import IntentState, Side

KEY = GILLETTE.key
ENTRY = (("09:15:00", "108.00"), ("09:15:01", "108.10"))


async def entered(stage: Stage, *outcomes: str, quantity: int = 100) -> Stage:
    """Start with one instrument and cross its long entry; the first orders come to `outcomes`."""
    stage.client().script.extend(outcomes)
    stage.plan(GILLETTE, quantity=quantity)
    await stage.start()
    await stage.ticks(*ENTRY)
    return stage


async def states(stage: Stage) -> list[IntentState]:
    return [stored.state for stored in stage.store.intents.values()]


@pytest.mark.proves("F18", "I4")
async def test_an_entry_that_fills_in_part_is_cancelled_after_five_market_seconds(stage: Stage) -> None:
    await entered(stage, "partial:37")

    await stage.tick("09:15:05", "108.20")
    assert stage.broker.cancelled == []
    await stage.at("09:15:06")

    assert stage.broker.cancelled == ["AB1001-1"]
    assert stage.broker.live() == []
    await stage.tick("09:15:10", "103.00")
    assert stage.sent()[-1] == ("STOP", "SELL", 37)
    assert stage.broker.net(KEY) == 0


@pytest.mark.proves("F18", "I4")
async def test_bookings_follow_what_the_entry_really_filled(stage: Stage) -> None:
    await entered(stage, "partial:40")
    await stage.at("09:15:06")

    await stage.tick("09:15:10", "108.60")

    assert stage.sent()[-1] == ("TARGET", "SELL", 4)


async def test_no_ladder_tick_is_decided_while_an_entry_works_and_the_newest_is_decided_after_it(stage: Stage) -> None:
    await entered(stage, REST)
    await stage.ticks(("09:15:02", "103.00"), ("09:15:03", "108.70"))
    assert len(stage.sent()) == 1

    stage.broker.fill("AB1001-1", price=Decimal("108.10"))
    await stage.settle()

    assert stage.sent()[1:] == [("TARGET", "SELL", 10)]


async def test_an_entry_that_never_fills_is_no_entry(stage: Stage) -> None:
    await entered(stage, REST)

    await stage.at("09:15:06")
    await stage.ticks(("09:15:07", "108.00"), ("09:15:08", "108.10"))

    assert stage.sent() == [("ENTRY", "BUY", 100), ("ENTRY", "BUY", 100)]
    assert [order.filled_quantity for order in stage.broker.book.values()] == [0, 100]
    assert stage.broker.placed[0].tag != stage.broker.placed[1].tag


@pytest.mark.proves("F20")
async def test_a_refused_entry_opens_nothing_and_says_why(stage: Stage) -> None:
    await entered(stage, REJECT)

    await stage.tick("09:15:02", "103.00")

    assert stage.sent() == [("ENTRY", "BUY", 100)]
    assert await states(stage) == [IntentState.REFUSED]
    assert stage.events("ORDER_REFUSED")[0].data["reason"] == "Insufficient funds."


@pytest.mark.proves("F16", "I9")
async def test_an_entry_rejected_after_the_ack_opens_nothing(stage: Stage) -> None:
    await entered(stage, DIE)

    await stage.tick("09:15:02", "103.00")

    assert stage.sent() == [("ENTRY", "BUY", 100)]
    assert stage.session.house.runners[("kite:AB1001", KEY)].expected_open() == 0


@pytest.mark.proves("F11", "I1", "I3")
async def test_an_entry_whose_answer_was_lost_is_found_by_its_tag_and_not_sent_again(stage: Stage) -> None:
    stage.client().tells_updates = False
    stage.broker.script.append(LOST)
    stage.plan(GILLETTE)
    await stage.start()
    await stage.ticks(*ENTRY)
    assert await states(stage) == [IntentState.IN_DOUBT]

    await stage.settle(0.6)

    assert await states(stage) == [IntentState.ADOPTED]
    await stage.tick("09:15:02", "103.00")
    assert stage.sent() == [("ENTRY", "BUY", 100), ("STOP", "SELL", 100)]
    assert stage.broker.net(KEY) == 0


@pytest.mark.proves("F12", "I3")
async def test_an_entry_lost_on_the_way_is_proved_absent_and_never_sent_again(stage: Stage) -> None:
    """Order books were seen to lag by 83 seconds: until two minutes have passed no other entry is made."""
    await entered(stage, DROPPED)

    await stage.settle(119.0)
    await stage.ticks(("09:17:00", "108.00"), ("09:17:01", "108.10"))
    assert await states(stage) == [IntentState.IN_DOUBT]
    await stage.settle(9.0)

    assert await states(stage) == [IntentState.ABSENT]
    assert stage.sent() == [("ENTRY", "BUY", 100)]
    assert stage.broker.net(KEY) == 0


@pytest.mark.proves("F12", "I3")
async def test_unreadable_order_books_prove_nothing(stage: Stage) -> None:
    await entered(stage, DROPPED)
    stage.broker.is_readable = False

    await stage.settle(200.0)
    assert await states(stage) == [IntentState.IN_DOUBT]

    stage.broker.is_readable = True
    await stage.settle(100.0)
    assert await states(stage) == [IntentState.IN_DOUBT], "clean reads over two minutes count, not the doubt's age"
    await stage.settle(40.0)
    assert await states(stage) == [IntentState.ABSENT]


@pytest.mark.proves("F12", "I3")
async def test_a_lost_exit_is_sent_again_only_after_ten_seconds_of_clean_reads(stage: Stage) -> None:
    await entered(stage)
    stage.broker.script.append(DROPPED)
    await stage.tick("09:15:02", "103.00")

    await stage.settle(10.2)
    assert len(stage.sent()) == 2
    await stage.settle(1.0)

    assert stage.sent()[1:] == [("STOP", "SELL", 100), ("STOP", "SELL", 100)]
    assert stage.broker.placed[1].tag != stage.broker.placed[2].tag
    assert stage.broker.net(KEY) == 0


@pytest.mark.proves("F11", "I1", "I3")
async def test_a_lost_exit_is_not_sent_again_while_the_position_cannot_be_read_as_open(stage: Stage) -> None:
    await entered(stage)
    stage.broker.tells_updates = False
    stage.broker.script.append(LOST)
    stage.broker.sees_book = False
    await stage.tick("09:15:02", "103.00")

    await stage.settle(60.0)
    assert len(stage.sent()) == 2

    stage.broker.sees_book = True
    await stage.settle(10.0)
    assert len(stage.sent()) == 2
    assert stage.broker.net(KEY) == 0


@pytest.mark.proves("F17", "I1", "I3")
@pytest.mark.parametrize(("trades", "positions"), [("honest", "honest"), ("lagging", "honest"), ("honest", "lagging")])
async def test_an_entry_that_another_screen_knows_of_is_not_absent_however_long_the_book_lags(
    stage: Stage, trades: str, positions: str
) -> None:
    stage.client().tells_updates = False
    stage.broker.lies.tell("honest", trades, positions)
    stage.broker.script.append(LOST)
    stage.broker.sees_book = False
    stage.plan(GILLETTE)
    await stage.start()
    await stage.ticks(*ENTRY)

    await stage.settle(300.0)
    assert await states(stage) == [IntentState.IN_DOUBT]

    stage.broker.lies.tell("honest", "honest", "honest")
    stage.broker.sees_book = True
    await stage.settle(10.0)
    assert await states(stage) == [IntentState.ADOPTED]
    await stage.tick("09:20:02", "103.00")
    assert stage.broker.net(KEY) == 0


@pytest.mark.proves("F12", "F29", "I4")
async def test_an_exit_lost_on_the_way_of_a_position_closed_by_hand_is_over(stage: Stage) -> None:
    await entered(stage)
    stage.broker.script.append(DROPPED)
    await stage.tick("09:15:02", "103.00")
    stage.broker.trade_by_hand(KEY, Side.SELL, 100)

    await stage.settle(60.0)

    assert (await states(stage))[-1] is IntentState.ABSENT
    assert len(stage.sent()) == 2


async def with_a_late_entry(stage: Stage) -> None:
    """Have an entry that rests at the broker count as absent, because the book did not show it for long enough."""
    stage.client().tells_updates = False
    stage.broker.script.append(LOST_RESTING)
    stage.broker.sees_book = False
    stage.plan(GILLETTE)
    await stage.start()
    await stage.ticks(*ENTRY)
    await stage.settle(150.0)
    assert await states(stage) == [IntentState.ABSENT]


@pytest.mark.proves("F17", "I18")
async def test_a_late_entry_is_closed_with_an_alarm(stage: Stage) -> None:
    await with_a_late_entry(stage)

    stage.broker.sees_book = True
    stage.broker.tells_updates = True
    stage.broker.fill("AB1001-1")
    await stage.settle(1.0)

    assert stage.sent() == [("ENTRY", "BUY", 100), ("MANUAL_EXIT", "SELL", 100)]
    assert stage.broker.net(KEY) == 0
    assert "LATE_ORDER" in stage.alarm_codes()
    assert "STRAY_POSITION" in stage.alarm_codes()


@pytest.mark.proves("F17", "I18")
async def test_a_late_entry_that_rests_is_cancelled_before_it_opens_anything(stage: Stage) -> None:
    await with_a_late_entry(stage)

    stage.broker.sees_book = True
    await stage.settle(10.0)

    assert stage.broker.live() == []
    assert stage.broker.cancelled == ["AB1001-1"]
    assert "LATE_ORDER" in stage.alarm_codes()


@pytest.mark.proves("I4", "I5")
async def test_a_stop_cancels_the_working_target_exit_first_and_then_exits_what_is_left(stage: Stage) -> None:
    await entered(stage)
    stage.broker.script.append("partial:4")
    await stage.tick("09:15:02", "108.60")
    assert stage.broker.live()[0].filled_quantity == 4

    await stage.tick("09:15:03", "103.00")

    assert stage.broker.cancelled == ["AB1001-2"]
    assert stage.sent()[1:] == [("TARGET", "SELL", 10), ("STOP", "SELL", 96)]
    assert stage.broker.net(KEY) == 0


@pytest.mark.proves("F24", "I4")
async def test_a_fill_that_races_with_the_cancel_is_not_exited_again(stage: Stage) -> None:
    await entered(stage)
    stage.broker.script.append(REST)
    await stage.tick("09:15:02", "108.60")
    stage.broker.takes_cancels = False
    await stage.tick("09:15:03", "103.00")
    assert len(stage.sent()) == 2

    stage.broker.fill("AB1001-2")
    await stage.settle(1.0)

    assert stage.sent()[-1] == ("STOP", "SELL", 90)
    assert stage.broker.net(KEY) == 0


@pytest.mark.proves("I5", "I27")
async def test_a_working_exit_is_not_sent_again_by_the_next_tick(stage: Stage) -> None:
    await entered(stage)
    stage.broker.script.append(REST)

    await stage.ticks(("09:15:02", "103.00"), ("09:15:03", "102.00"), ("09:15:03", "101.50"))

    assert stage.sent()[1:] == [("STOP", "SELL", 100)]


@pytest.mark.proves("F19", "I18", "I27")
async def test_a_refused_exit_is_tried_again_and_never_given_up_silently(stage: Stage) -> None:
    await entered(stage)
    stage.broker.script.extend([REJECT] * 10)
    await stage.tick("09:15:02", "103.00")

    for at in ("09:15:05", "09:15:10", "09:15:20", "09:15:30", "09:15:50", "09:16:30"):
        await stage.at(at, 0.3)

    assert len(stage.sent()) == 1 + 5
    assert stage.alarm_codes() == ["EXIT_FAILED"] * 5 + ["EXIT_GIVEN_UP"]
    assert "100 NSE:GILLETTE" in stage.store.alarms[-1][2]


@pytest.mark.proves("F31")
async def test_an_exit_that_met_a_dead_session_goes_out_after_the_next_sign_in(stage: Stage) -> None:
    await entered(stage)
    stage.broker.script.append(AUTH)
    stage.broker.has_session = False
    await stage.tick("09:15:02", "103.00")
    await stage.settle(5.0)
    assert "BROKER_SIGN_IN" in stage.alarm_codes()

    stage.broker.has_session = True
    await stage.settle(40.0)

    assert stage.sent()[-1] == ("STOP", "SELL", 100)
    assert stage.broker.net(KEY) == 0


@pytest.mark.proves("F26", "I10")
async def test_duplicated_and_reordered_messages_change_nothing(stage: Stage) -> None:
    await entered(stage, "partial:30")
    early = stage.broker.book["AB1001-1"]
    stage.broker.fill("AB1001-1", 70)
    for order in (early, stage.broker.book["AB1001-1"], early, early):
        stage.broker.tell(order)
    await stage.settle(0.5)

    await stage.tick("09:15:02", "103.00")

    assert stage.sent()[1:] == [("STOP", "SELL", 100)]
    assert stage.broker.net(KEY) == 0
    assert len(stage.events("FILL")) == 3


@pytest.mark.proves("F29", "I4")
async def test_what_the_client_sells_by_hand_is_not_sold_again(stage: Stage) -> None:
    await entered(stage)
    stage.broker.trade_by_hand(KEY, Side.SELL, 60)
    await stage.settle(31.0)

    await stage.tick("09:15:40", "103.00")

    assert stage.sent()[1:] == [("STOP", "SELL", 40)]
    assert stage.broker.net(KEY) == 0
    assert [event.data["quantity"] for event in stage.events("EXTERNAL_FILL")] == [60]


@pytest.mark.proves("F29", "I9")
async def test_what_the_client_bought_by_hand_is_left_alone_by_the_ladder(stage: Stage) -> None:
    await entered(stage)
    stage.broker.trade_by_hand(KEY, Side.BUY, 50)
    await stage.settle(31.0)

    await stage.tick("09:15:40", "103.00")
    await stage.settle(31.0)

    assert stage.sent()[1:] == [("STOP", "SELL", 100)]
    assert stage.broker.net(KEY) == 50


@pytest.mark.proves("I2")
async def test_every_order_is_committed_as_sending_before_the_broker_sees_it(stage: Stage) -> None:
    seen = []
    stage.client().before_place = lambda intent: seen.append(stage.store.intents[intent.tag].state)
    stage.plan(GILLETTE)
    await stage.start()

    await stage.ticks(*ENTRY, ("09:15:02", "108.60"), ("09:15:03", "103.00"))

    assert seen == [IntentState.SENDING] * 3


@pytest.mark.proves("I8")
async def test_an_order_can_be_explained_from_tick_to_fill(stage: Stage) -> None:
    await entered(stage)
    tag = stage.broker.placed[0].tag

    told = [event.kind for event in stage.store.events if event.tag == tag]
    reason = stage.store.reasons[tag]

    assert told == ["GATE", "ORDER_UPDATED", "ORDER_ACKED", "FILL"] or told == [
        "GATE", "ORDER_ACKED", "ORDER_UPDATED", "FILL",
    ]  # fmt: skip
    assert reason["tick"]["ltp"] == "108.10"
    assert reason["levels"]["entry"] == "108.10"
    assert all(verdict["ok"] for verdict in stage.store.verdicts[tag])
    assert [verdict["check"] for verdict in stage.store.verdicts[tag]] == [
        "kill_file", "kill_state", "lease", "session", "instrument", "cutoff", "reconciled", "feed", "signal", "tick",
        "day_limits", "repeats",
        "trades_today", "open_positions", "order_quantity", "order_value", "price_collar", "day_calls",
        "calls_now", "order_rules",
        "rate_budget", "claim",
    ]  # fmt: skip


@pytest.mark.proves("F55", "I3")
async def test_an_entry_that_never_left_is_refused_at_once_and_an_exit_waits_for_a_broker_that_answers(
    stage: Stage,
) -> None:
    broker = stage.client()
    stage.plan(GILLETTE, quantity=100, config={"max_entries_per_side": 50})
    await stage.start()
    broker.script.append(NEVER_LEFT)

    await stage.ticks(("09:15:00", "108.00"), ("09:15:01", "108.10"))

    assert [stored.state for stored in stage.store.intents.values()] == [IntentState.REFUSED]
    await stage.ticks(("09:15:02", "108.00"), ("09:15:03", "108.10"))
    assert stage.broker.net(GILLETTE.key) == 100, "nothing stood in the way of the next entry"

    broker.script.append(NEVER_LEFT)
    broker.is_readable = False
    await stage.tick("09:15:04", "103.00")
    await stage.settle(30.0)
    assert stage.sent()[-1] == ("STOP", "SELL", 100)
    tries = len(stage.sent())

    broker.is_readable = True
    await stage.settle(30.0)
    assert stage.broker.net(GILLETTE.key) == 0
    assert len(stage.sent()) == tries + 1
