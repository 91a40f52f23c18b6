"""The process dies at every await point, before or after the call was carried out; the next one goes on."""

import pytest

from tests.engine.mortal import Mortal, live_through
from tests.engine.stage import GILLETTE, Stage
from trading.domain.orders import IntentState

KEY = GILLETTE.key
DAY = (
    ("09:15:00", "108.00"),
    ("09:15:01", "108.10"),
    ("09:15:02", "108.60"),
    ("09:15:03", "109.60"),
    ("09:15:04", "108.30"),
)
"""Entry of 100, T1 books 10, T2 and T3 book 20, the stop at Y4 (109.10) takes the rest."""
CALLS = 60
"""More calls than the day makes, so that the last runs end undisturbed."""


@pytest.mark.proves("F43", "F44", "F45", "I1", "I16")
@pytest.mark.parametrize("after_the_call", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("dies_at", range(1, CALLS))
async def test_a_death_at_any_call_makes_no_second_order_and_leaves_nothing_open(
    dies_at: int, after_the_call: bool
) -> None:
    stage = Stage()
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    mortal = Mortal(dies_at, after_the_call=after_the_call)
    await live_through(stage, mortal, DAY)
    await stage.at("15:15:00")
    await stage.settle(5.0)

    placed = stage.broker.placed
    assert len({intent.tag for intent in placed}) == len(placed)
    assert [intent.key.purpose.value for intent in placed].count("ENTRY") <= 1
    assert stage.broker.most_open[KEY] <= 100
    assert stage.broker.net(KEY) == 0
    assert all(trade.side.value == "BUY" for trade in stage.broker.fills[:1])
    unsettled = (IntentState.NEW, IntentState.SENDING, IntentState.IN_DOUBT)
    if any(s.state in unsettled for s in stage.store.intents.values()):
        await stage.settle(130.0)  # an entry's absence takes that long to prove
    assert [s.intent.key.text() for s in stage.store.intents.values() if s.state in unsettled] == []
    await stage.stop()


async def test_the_scenario_makes_fewer_calls_than_are_tried(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    mortal = Mortal(10_000, after_the_call=False)
    brokers = dict(stage.brokers)
    store = mortal.port(stage.store)
    await stage.start(store=store, leases=store, broker_for=lambda ref: mortal.port(brokers[ref.key]))

    await stage.ticks(*DAY)

    assert [purpose for purpose, _, _ in stage.sent()] == ["ENTRY", "TARGET", "TARGET", "STOP"]
    assert 25 < mortal.calls < CALLS


@pytest.mark.proves("F45", "I16")
async def test_a_restart_goes_on_with_targets_stop_and_counts_where_it_stopped(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    await stage.ticks(*DAY[:3])
    await stage.stop()

    await stage.start()
    await stage.ticks(("09:20:00", "109.10"), ("09:20:01", "108.55"), ("09:20:02", "108.00"), ("09:20:03", "108.10"))

    assert stage.sent() == [
        ("ENTRY", "BUY", 100),
        ("TARGET", "SELL", 10),
        ("TARGET", "SELL", 10),
        ("STOP", "SELL", 80),
    ]


async def test_an_exit_that_was_decided_but_not_sent_is_decided_again(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    await stage.ticks(*DAY[:2])
    stage.broker.takes_cancels = True
    stage.broker.script.append("hang")
    await stage.tick("09:15:02", "103.00")
    assert stage.broker.placed[-1].key.purpose == "STOP"
    await stage.stop()

    await stage.start()
    await stage.settle(20.0)

    assert [purpose for purpose, _, _ in stage.sent()] == ["ENTRY", "STOP", "STOP"]
    assert stage.broker.net(KEY) == 0
