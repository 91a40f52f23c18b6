"""A process that stood still finds a backlog of ticks: what newer ones have overtaken is seen, and decides nothing."""

import pytest

from tests.engine.stage import GILLETTE, Stage


async def holding(stage: Stage) -> Stage:
    """Long 100 from 108.10, the stop at 103.10, the first target at 108.60."""
    stage.client()
    stage.plan(GILLETTE, quantity=100, config={"booking_fractions": ["0.1"] * 10})
    await stage.start()
    await stage.ticks(("09:15:00", "108.00"), ("09:15:01", "108.10"))
    return stage


async def backlog(stage: Stage, *traded: tuple[str, str]) -> None:
    """Let the market trade while nobody listens, and all its packets come at one moment."""
    packets = []
    for at, price in traded:
        stage.clock.set_ist(at)
        packets.append(stage.trade(price, GILLETTE))
    for packet in packets:
        stage.feed.put(packet)
    await stage.settle(0.3)


@pytest.mark.proves("F47", "I25")
async def test_a_stop_is_not_decided_on_a_price_that_the_market_has_left_long_ago(stage: Stage) -> None:
    await holding(stage)

    await backlog(stage, ("09:16:00", "104.00"), ("09:16:01", "103.00"), ("09:16:20", "108.20"))

    assert stage.sent() == [("ENTRY", "BUY", 100)]
    assert stage.session.house.book.last(GILLETTE.token) == stage.packets[GILLETTE.token]


@pytest.mark.proves("F47", "I25")
async def test_the_newest_tick_of_a_backlog_decides(stage: Stage) -> None:
    await holding(stage)

    await backlog(stage, ("09:16:00", "108.20"), ("09:16:01", "104.00"), ("09:16:20", "103.00"))

    assert stage.sent() == [("ENTRY", "BUY", 100), ("STOP", "SELL", 100)]
    assert stage.events("STOP")[0].data["tick"]["ltp"] == "103.00"


async def test_packets_that_wait_together_for_a_moment_decide_one_after_the_other(stage: Stage) -> None:
    await holding(stage)

    await backlog(stage, ("09:16:00", "108.60"), ("09:16:02", "108.20"))

    assert stage.sent() == [("ENTRY", "BUY", 100), ("TARGET", "SELL", 10)]


async def test_a_backlog_whose_newest_price_is_no_price_decides_nothing(stage: Stage) -> None:
    await holding(stage)
    stage.clock.set_ist("09:16:00")
    stage.feed.put(stage.trade("103.05", GILLETTE))
    stage.clock.set_ist("09:16:20")
    stage.feed.put(stage.trade("108.10", GILLETTE)._replace(ltp=0))

    await stage.settle(0.3)

    assert stage.sent() == [("ENTRY", "BUY", 100)]
