"""The session dies at 11:20 because somebody signed in elsewhere, while ticks still flow (F31)."""

import pytest

from tests.engine.stage import GILLETTE, INFY, Stage

ENTRY = (("09:15:00", "108.00"), ("09:15:01", "108.10"))
MOST_CALLS_A_MINUTE = 30


@pytest.mark.proves("F31", "I18", "I27")
async def test_nothing_is_entered_one_alarm_asks_for_a_sign_in_and_the_stop_goes_out_after_it(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    stage.plan(INFY, quantity=50)
    await stage.start()
    await stage.ticks(*ENTRY)
    stage.broker.has_session = False
    await stage.live_until("09:17:00")
    calls = stage.broker.reads + len(stage.broker.placed)

    for second in range(0, 60, 2):
        await stage.tick(f"09:17:{second:02}", "108.20", GILLETTE)
        await stage.tick(f"09:17:{second:02}", "108.00" if second < 30 else "108.10", INFY)
        await stage.settle(1.6)

    assert stage.broker.reads + len(stage.broker.placed) - calls <= MOST_CALLS_A_MINUTE
    assert stage.sent() == [("ENTRY", "BUY", 100)]
    assert [event.data["code"] for event in stage.events("ORDER_DENIED")] == ["NOT_RECONCILED"]
    assert stage.alarm_codes().count("BROKER_SIGN_IN") == 1

    await stage.tick("09:18:10", "103.05", GILLETTE)
    assert stage.broker.net(GILLETTE.key) == 100
    stage.broker.has_session = True
    await stage.settle(70.0)
    assert stage.sent()[-1] == ("STOP", "SELL", 100)
    assert stage.broker.net(GILLETTE.key) == 0
