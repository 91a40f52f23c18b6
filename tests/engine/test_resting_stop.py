"""A stop that rests at the exchange: the last net, never beside another exit, and off unless a client wants it."""

from decimal import Decimal
from typing import Any

import pytest

from tests.engine.stage import GILLETTE, INFY, Stage
from tests.fakes.broker import DIE, DROPPED, LOST_RESTING, REST
from trading.domain.instruments import Instrument
from trading.domain.orders import BrokerOrder, OrderStatus, OrderType, Side

KEY = GILLETTE.key
ENTRY = (("09:15:00", "108.00"), ("09:15:01", "108.10"))


async def protected(stage: Stage, *outcomes: str, instrument: Instrument = GILLETTE, **policy: Any) -> Stage:
    """Enter 100 at 108.10 with the ladder's stop at 103.10 and a client who wants one at the exchange 2 % beyond."""
    stage.client(**{"disaster_stop_percent": Decimal(2), **policy}).script.extend(["fill", *(outcomes or (REST,))])
    stage.plan(instrument, quantity=100)
    await stage.start()
    for at, price in ENTRY:
        await stage.tick(at, price, instrument)
    return stage


def stops(stage: Stage) -> list[BrokerOrder]:
    return [order for order in stage.broker.live() if is_stop(stage, order)]


def is_stop(stage: Stage, order: BrokerOrder) -> bool:
    return stage.store.intents[order.tag].intent.key.purpose.value == "DISASTER_STOP"


async def test_nobody_who_did_not_ask_has_a_stop_at_the_exchange(stage: Stage) -> None:
    await protected(stage, disaster_stop_percent=None)

    assert [purpose for purpose, _, _ in stage.sent()] == ["ENTRY"]


async def test_it_is_placed_beyond_the_ladders_stop_once_the_entry_filled(stage: Stage) -> None:
    await protected(stage)

    intent = stage.broker.placed[1]
    assert stage.sent()[1:] == [("DISASTER_STOP", "SELL", 100)]
    assert (intent.order_type, intent.trigger_price, intent.price) == (
        OrderType.SL,
        Decimal("101.05"),
        Decimal("98.00"),
    )


async def test_it_rests_for_ever_without_being_changed_or_alarmed(stage: Stage) -> None:
    await protected(stage)

    for at in ("09:15:10", "09:16:00", "09:30:00"):
        await stage.at(at, 5.0)

    assert len(stops(stage)) == 1
    assert stage.broker.changed == []
    assert set(stage.alarm_codes()) <= {"FEED_STALE"}


@pytest.mark.proves("I5", "I4")
async def test_the_ladders_stop_cancels_it_first_and_exits_then(stage: Stage) -> None:
    await protected(stage)
    live_at_send: list[int] = []
    stage.broker.before_place = lambda intent: live_at_send.append(len(stage.broker.live()))

    await stage.tick("09:15:02", "103.00")

    assert stage.broker.cancelled == ["AB1001-2"]
    assert stage.sent()[2:] == [("STOP", "SELL", 100)]
    assert live_at_send == [0]
    assert stage.broker.net(KEY) == 0
    assert stage.broker.live() == []


@pytest.mark.proves("I5")
async def test_no_exit_leaves_before_its_end_is_proved(stage: Stage) -> None:
    await protected(stage)
    stage.broker.takes_cancels = False
    await stage.tick("09:15:02", "103.00")
    await stage.settle(2.0)
    assert len(stage.sent()) == 2
    assert stage.alarm_codes() == [], "it does not even ask for the position's one place, which the stop has"

    stage.broker.takes_cancels = True
    await stage.settle(10.0)

    assert stage.sent()[2:] == [("STOP", "SELL", 100)]
    assert stage.broker.net(KEY) == 0


async def test_a_booking_takes_it_away_and_brings_it_back_for_what_is_left(stage: Stage) -> None:
    await protected(stage, REST, "fill", REST)

    await stage.tick("09:15:02", "108.60")
    await stage.settle(1.0)

    assert stage.sent()[2:] == [("TARGET", "SELL", 10), ("DISASTER_STOP", "SELL", 90)]
    assert [order.quantity for order in stops(stage)] == [90]


@pytest.mark.proves("F25", "I25")
async def test_it_follows_the_trailed_stop_up_by_a_step_and_never_down(stage: Stage) -> None:
    await protected(stage, *([REST, "fill"] * 3), REST)

    for second, price in ((2, "108.60"), (3, "109.10"), (4, "109.60")):
        await stage.tick(f"09:15:{second:02}", price)
        await stage.settle(1.0)

    triggers = [one.trigger_price for one in stage.broker.placed if one.key.purpose.value == "DISASTER_STOP"]
    assert triggers == sorted(triggers)  # type: ignore[type-var]
    assert triggers[-1] == Decimal("106.90"), "2 % below Y4 at 109.10"


@pytest.mark.proves("F18", "F29", "I4")
async def test_it_is_resized_by_a_change_when_the_client_closes_a_part_by_hand(stage: Stage) -> None:
    await protected(stage)
    stage.broker.trade_by_hand(KEY, Side.SELL, 60)

    await stage.settle(35.0)

    (_, change) = stage.broker.changed[0]
    assert (change.order_type, change.quantity) == (OrderType.SL, 40)
    assert [order.quantity for order in stops(stage)] == [40]
    assert len(stage.sent()) == 2


@pytest.mark.proves("I4")
async def test_it_is_taken_away_when_the_client_closes_everything_by_hand(stage: Stage) -> None:
    await protected(stage)
    stage.broker.trade_by_hand(KEY, Side.SELL, 100)

    await stage.settle(35.0)

    assert stage.broker.live() == [], "it would open a short"
    assert len(stage.sent()) == 2


@pytest.mark.proves("I4")
async def test_its_own_fill_is_the_end_of_the_position(stage: Stage) -> None:
    await protected(stage)

    stage.broker.fill("AB1001-2", price=Decimal("101.00"))
    await stage.settle(1.0)
    await stage.tick("09:15:05", "100.95")

    assert len(stage.sent()) == 2, "nothing is sold again"
    assert stage.broker.net(KEY) == 0
    assert stage.events("STOPPED_AT_EXCHANGE")
    assert stage.session.house.runners[("kite:AB1001", KEY)].expected_open() == 0
    assert not {"STRAY_POSITION"} & set(stage.alarm_codes())


async def test_what_it_filled_only_in_part_is_exited_by_the_engine(stage: Stage) -> None:
    await protected(stage)
    stage.broker.fill("AB1001-2", 30, price=Decimal("101.00"))

    await stage.tick("09:15:05", "101.00")
    await stage.settle(1.0)

    assert stage.broker.net(KEY) == 0
    assert stage.sent()[-1] == ("STOP", "SELL", 70)


@pytest.mark.proves("I4", "I6")
async def test_the_square_off_takes_it_away_and_leaves_nothing(stage: Stage) -> None:
    await protected(stage)

    await stage.at("15:15:00", 3.0)

    assert stage.sent()[2:] == [("SQUARE_OFF", "SELL", 100)]
    assert stage.broker.net(KEY) == 0
    assert stage.broker.live() == []


@pytest.mark.proves("I4", "I5")
async def test_a_kill_takes_it_away_and_squares_off(stage: Stage) -> None:
    await protected(stage)

    stage.store.press_kill(1)
    await stage.settle(3.0)

    assert stage.broker.net(KEY) == 0
    assert stage.broker.live() == []


@pytest.mark.proves("I1", "I16")
async def test_a_restart_takes_it_over_and_places_no_second(stage: Stage) -> None:
    await protected(stage)
    await stage.stop()

    await stage.start()
    await stage.at("09:15:10", 10.0)
    assert len(stage.sent()) == 2
    await stage.tick("09:15:11", "103.00")

    assert stage.broker.cancelled == ["AB1001-2"]
    assert stage.broker.net(KEY) == 0
    assert stage.broker.live() == []


@pytest.mark.proves("F35")
async def test_one_that_was_refused_is_told_and_tried_again_later(stage: Stage) -> None:
    await protected(stage, DIE, REST)
    assert stage.alarm_codes() == ["UNPROTECTED"]

    await stage.at("09:17:10", 1.0)

    assert len(stops(stage)) == 1


@pytest.mark.proves("F35")
async def test_one_that_the_exchange_cancels_before_the_auction_is_told_and_not_sent_again(stage: Stage) -> None:
    """A stock with derivatives: stops are not taken in the closing auction; the square-off had its turn at 15:10."""
    await protected(stage, instrument=INFY)
    stage.broker.script.extend(["reject"] * 9)  # the square-off's exits come to nothing
    await stage.at("15:14:59")

    stage.broker._change("AB1001-2", status=OrderStatus.CANCELLED, status_message="not allowed in the auction")
    await stage.at("15:16:00", 1.0)
    await stage.at("15:19:00", 1.0)

    assert [purpose for purpose, _, _ in stage.sent()].count("DISASTER_STOP") == 1


@pytest.mark.parametrize("lost", [LOST_RESTING, DROPPED])
@pytest.mark.proves("I1", "I5")
async def test_an_exit_waits_until_a_stop_in_doubt_is_found_or_proved_absent(stage: Stage, lost: str) -> None:
    await protected(stage, lost)
    await stage.tick("09:15:02", "103.00")
    await stage.settle(20.0)

    assert stage.broker.net(KEY) == 0
    assert stage.broker.live() == []
    assert len({intent.tag for intent in stage.broker.placed}) == len(stage.broker.placed) == 3
