"""Daily limits: reached means closed and latched until the next session."""

from decimal import Decimal

from tests.engine.stage import GILLETTE, INFY, Stage
from trading.domain.control import TradingState

ENTRY = (("09:15:00", "108.00"), ("09:15:01", "108.10"))


async def test_an_open_loss_at_the_limit_closes_everything_and_latches(stage: Stage) -> None:
    stage.client(daily_loss_limit=Decimal(200))
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    await stage.ticks(*ENTRY, ("09:15:02", "106.15"))
    assert len(stage.sent()) == 1

    await stage.tick("09:15:03", "106.10")
    await stage.settle(1.0)

    assert stage.sent()[1:] == [("LIMIT_REACHED", "SELL", 100)]
    assert stage.store.policies[1].state is TradingState.ACTIVE
    assert stage.store.latches[1].state is TradingState.HALTED
    assert "loss limit of 200" in stage.store.latches[1].reason


async def test_a_latched_client_enters_nothing_more_today(stage: Stage) -> None:
    stage.client(daily_loss_limit=Decimal(100))
    stage.plan(GILLETTE, quantity=100)
    stage.plan(INFY, quantity=100)
    await stage.start()
    await stage.ticks(*ENTRY, ("09:15:02", "107.10"))
    await stage.settle(1.0)

    await stage.tick("09:16:00", "108.00", INFY)
    await stage.tick("09:16:01", "108.10", INFY)

    assert [purpose for purpose, _, _ in stage.sent()] == ["ENTRY", "LIMIT_REACHED"]


async def test_a_closed_loss_counts_together_with_an_open_one(stage: Stage) -> None:
    stage.client(daily_loss_limit=Decimal(520))
    stage.plan(GILLETTE, quantity=100)
    stage.plan(INFY, quantity=100)
    await stage.start()
    await stage.ticks(*ENTRY, ("09:15:02", "103.10"))
    assert stage.broker.realised() == Decimal(-500)

    await stage.tick("09:16:00", "108.00", INFY)
    await stage.tick("09:16:01", "108.10", INFY)
    await stage.tick("09:16:02", "107.95", INFY)
    assert stage.sent()[-1] == ("ENTRY", "BUY", 100)
    await stage.tick("09:16:03", "107.90", INFY)
    await stage.settle(1.0)

    assert stage.sent()[-1] == ("LIMIT_REACHED", "SELL", 100)


async def test_the_profit_limit_closes_too(stage: Stage) -> None:
    stage.client(daily_profit_limit=Decimal(40))
    stage.plan(GILLETTE, quantity=100)
    await stage.start()

    await stage.ticks(*ENTRY, ("09:15:02", "108.50"))
    await stage.settle(1.0)

    assert stage.sent()[1:] == [("LIMIT_REACHED", "SELL", 100)]
    assert stage.broker.realised() == Decimal("40.00")


async def test_the_latch_survives_a_restart(stage: Stage) -> None:
    stage.client(daily_profit_limit=Decimal(40))
    stage.plan(GILLETTE, quantity=100)
    stage.plan(INFY, quantity=100)
    await stage.start()
    await stage.ticks(*ENTRY, ("09:15:02", "108.50"))
    await stage.settle(1.0)
    await stage.stop()

    await stage.start()
    await stage.tick("09:16:00", "108.00", INFY)
    await stage.tick("09:16:01", "108.10", INFY)

    assert len(stage.sent()) == 2


async def test_the_page_is_told_pnl_and_what_is_left_of_the_limits(stage: Stage) -> None:
    stage.client(daily_loss_limit=Decimal(1000), daily_profit_limit=Decimal(2000))
    stage.plan(GILLETTE, quantity=100)
    await stage.start()

    await stage.ticks(*ENTRY, ("09:15:02", "108.05"))
    await stage.settle(0.5)

    assert stage.live.last("pnl") == {
        "realised": "0.00",
        "unrealised": "-5.00",
        "total": "-5.00",
        "loss_left": "995.00",
        "profit_left": "2005.00",
        "unpriced": [],
    }
    position = stage.live.last("position")
    assert (position["side"], position["open"], position["k"], position["stop"]) == ("long", 100, 0, "103.10")


async def test_the_curve_keeps_one_point_a_market_minute(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    await stage.start()

    await stage.ticks(*ENTRY, ("09:15:30", "108.20"), ("09:16:00", "108.30"))
    await stage.settle(1.0)

    assert list(stage.store.pnl.values()) == [(Decimal(0), Decimal(0)), (Decimal(0), Decimal(20))]
