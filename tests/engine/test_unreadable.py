"""What a broker says and nobody understands decides nothing, and a person is told of it."""

from dataclasses import replace

import pytest

from tests.engine.stage import GILLETTE, Stage
from trading.domain.orders import OrderStatus

ENTRY = (("09:15:00", "108.00"), ("09:15:01", "108.10"))
CODE = "BROKER_ANSWER_UNREADABLE"


def told(stage: Stage) -> list[str]:
    return [text for _, code, text in stage.store.alarms if code == CODE]


@pytest.mark.proves("F33", "I18")
async def test_answers_that_nobody_understands_are_told_once_a_minute_with_their_number(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE)
    await stage.start()
    await stage.ticks(*ENTRY)

    stage.broker.garbles = True
    await stage.settle(55.0)
    assert told(stage) == [
        "an answer of kite:AB1001 could not be understood: order book: HTTP 200 with content type text/html; "
        "what it said decides nothing, and it is asked again"
    ]
    assert stage.broker.net(GILLETTE.key) == 100

    await stage.settle(20.0)
    (_, again) = told(stage)
    assert "times): order book" in again


async def test_a_broker_that_is_only_away_is_no_riddle(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE)
    await stage.start()
    stage.broker.is_readable = False

    await stage.settle(30.0)

    assert told(stage) == []


@pytest.mark.proves("F33")
async def test_a_state_that_no_table_knows_is_told_once_and_keeps_the_order_alive(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE)
    await stage.start()
    stage.broker.script.append("rest")
    await stage.ticks(*ENTRY)
    (order,) = stage.broker.live()

    for filled in (10, 20):
        strange = replace(order, status=OrderStatus.UNKNOWN, broker_status="PENDING AT MOON", filled_quantity=filled)
        stage.broker.book[order.order_id] = strange
        stage.broker.tell(strange)
        await stage.settle()

    assert told(stage) == [
        "kite:AB1001 calls an order of NSE:GILLETTE 'PENDING AT MOON', a word that is not known: "
        "the order counts as one that may still fill"
    ]
    (working,) = stage.session.house.accounts["kite:AB1001"].desk.orders.by_tag.values()
    assert working.may_fill
