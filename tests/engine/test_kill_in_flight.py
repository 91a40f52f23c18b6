"""The kill switch pressed at each await of fifty entries on their way (F66, I7), on a virtual clock.

What is judged by: the claims that were committed when the kill was. Only those may reach a broker.
"""

import pytest

from tests.engine.awaits import ARRIVES_WITHIN_S, SENDS, UNCLAIMED, Awaits, noting
from tests.engine.stage import GILLETTE, Stage
from tests.evidence.plugin import Tally
from tests.fakes.broker import FILL, LOST, LOST_RESTING, REST
from trading.domain.control import TradingState

EVERY_AWAIT = [
    ("before create_intent", 1),
    ("after create_intent", 50),
    ("before claim", 25),
    ("after claim", 25),
    ("before place", 50),
    ("after place", 10),
    ("before resolve", 25),
    ("after resolve", 1),
]
FATES = (FILL, REST, LOST, LOST_RESTING, "partial:3")


@pytest.mark.proves("F66", "I7", database="none")
@pytest.mark.parametrize(("point", "number"), EVERY_AWAIT)
async def test_no_entry_leaves_that_was_not_claimed_before_the_kill(
    stage: Stage, tally: Tally, point: str, number: int
) -> None:
    claimed: set[str] = set()
    pressed_at = 0.0

    async def press() -> None:
        nonlocal pressed_at
        stage.store.press_kill(None)
        pressed_at = stage.clock.monotonic()
        claimed.update(tag for tag, stored in stage.store.intents.items() if stored.state not in UNCLAIMED)

    awaits = Awaits((point, number), press)
    for client_id in range(1, SENDS + 1):
        broker = stage.client(client_id, f"XY{client_id:04}")
        broker.script.append(FATES[client_id % len(FATES)])
        stage.plan(GILLETTE, user_id=f"XY{client_id:04}", quantity=10)
    seen: dict[str, float] = {}
    for broker in stage.brokers.values():
        broker.before_place = noting(seen, stage.clock)
    await stage.start(store=awaits.around(stage.store), broker_for=lambda ref: awaits.around(stage.broker_for(ref)))
    await stage.ticks(("09:15:00", "108.00"), ("09:15:01", "108.10"))
    await stage.settle(4.0)
    working_after_4_s = [order for broker in stage.brokers.values() for order in broker.live()]
    await stage.settle(10.0)

    assert awaits.is_pressed
    after = {tag: at for tag, at in seen.items() if at > pressed_at}
    survived = set(seen) <= claimed and all(at - pressed_at <= ARRIVES_WITHIN_S for at in after.values())
    tally.count(tried=SENDS, survived=SENDS if survived else 0)
    assert set(seen) <= claimed, "an entry reached its broker whose claim came after the kill"
    assert survived
    assert [order for order in working_after_4_s if order.tag not in _in_doubt_for_long(stage)] == []
    assert {broker.net(GILLETTE.key) for broker in stage.brokers.values()} == {0}
    assert stage.store.house_state is TradingState.HALTED
    (result,) = stage.store.results.values()
    assert result["flat"] is True


def _in_doubt_for_long(stage: Stage) -> set[str]:
    """Name the orders whose answer was lost: they are looked up first, which takes its time."""
    return {broker.placed[0].tag for broker in stage.brokers.values() if broker.placed and broker.name in _lost(stage)}


def _lost(stage: Stage) -> set[str]:
    return {f"XY{client_id:04}" for client_id in range(1, SENDS + 1) if FATES[client_id % len(FATES)] == LOST_RESTING}
