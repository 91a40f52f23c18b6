"""What the pages are told: one thing that cannot be told does not keep them from all that follows."""

from dataclasses import replace
from decimal import Decimal, InvalidOperation

import pytest

from tests.engine.stage import Stage
from tests.engine.test_exits_never_lost import holding


@pytest.mark.proves("F33", "F54")
async def test_an_order_that_cannot_be_told_is_tried_once_and_what_follows_is_told(stage: Stage) -> None:
    await holding(stage)
    live, desk = stage.session.live, stage.session.house.accounts["kite:AB1001"].desk
    working = next(iter(desk.orders.by_tag.values()))
    assert working.order is not None
    live.flush()
    stage.live.messages.clear()
    good, working.order = working.order, replace(working.order, average_price=Decimal(10) ** 30)

    live.order(1, working)
    live.position(desk.line("NSE:GILLETTE"))
    with pytest.raises(InvalidOperation):
        live.flush()
    working.order = good
    live.flush()

    assert [kind for _, kind, _ in stage.live.messages] == ["position"]
