"""What continuous trading leaves over leaves by the closing auction of the simulated exchange, whose own square-off is
off that day: else nothing would be left for it."""

from datetime import datetime, time, timedelta

import pytest

from trading.domain.orders import OrderType, Side
from trading.domain.timezone import at_ist, to_ist
from trading.exchange.faults.presets import PRESETS
from trading.exchange.faults.rules import parse_rule
from trading.exchange.market.prints import Print
from trading.simulation.virtual_time import run_virtually
from trading.simulation.weather import Shape
from trading.simulation.world import DAY, World

USER, STOCK = "AB1001", "NSE:INFY"
EVERY, LASTS_S = timedelta(seconds=15), 3.0
"""A step of the market, and the wire seconds that it lasts: the market runs five times as fast."""


def moment(hhmmss: str) -> datetime:
    return at_ist(DAY, time.fromisoformat(hhmmss))


class CasDay:
    """One account that holds 50 of a stock with a closing auction, and whose exits are refused until 15:15."""

    def __init__(self) -> None:
        self.world = World(7, Shape(accounts=1))
        self.instrument = next(one for one in self.world.instruments if one.key == STOCK)
        self.price = self.world.market.quote(self.instrument.token).ltp
        self.world.house.venue.set_square_off({"enabled": False})

    @property
    def net(self) -> int:
        return self.world.house.venue.books.accounts[USER].net_quantity(self.instrument.token, "MIS")

    async def play(self, side: Side) -> None:
        """Hold from 15:05, and live until after the auction."""
        refused = dict(PRESETS["F19"].rules[0]) | {"n": 1000, "at": {"from": "15:09:00", "until": "15:15:00"}}
        self.world.house.faults.enforce([parse_rule(refused)])
        await self.until("15:05:00", "15:05:15")
        self.world.house.venue.by_hand.trade(USER, STOCK, side, 50, "MIS")
        self.world.start_engine()
        await self.until("15:05:15", "15:37:00")
        for process in list(self.world.processes):
            await process.stop()

    async def until(self, start: str, end: str) -> None:
        now, last = moment(start), moment(end)
        while now < last:
            self.world.clock.set(now)
            if now < moment("15:15:00"):
                self.world.market.stage(self.instrument.token, self.price, 100, now)
            if now >= moment("15:29:00"):
                at_ms = int(moment("15:29:00").timestamp() * 1000)
                self.world.market.prints[self.instrument.token] = Print(self.price, 5000, at_ms)
            self.world.house.move()
            await self.world.clock.sleep(LASTS_S)
            now += EVERY


@pytest.mark.proves("F35", "F61", "I6")
@pytest.mark.parametrize("side", list(Side))
def test_a_position_that_continuous_trading_left_is_flat_after_the_closing_auction(side: Side) -> None:
    async def whole() -> tuple[CasDay, list[str]]:
        day = CasDay()
        await day.play(side)
        return day, [code for _, code, _ in day.world.store.alarms]

    day, alarms = run_virtually(whole)

    assert day.net == 0
    assert "LEFT_FOR_AUCTION" in alarms
    books = day.world.house.venue.books
    filled = [order for order in books.orders.values() if order.filled and order.tag]
    (exit_,) = filled
    (trade,) = [one for one in books.accounts[USER].trades if one.order_id == exit_.order_id]
    assert (exit_.side, exit_.terms.order_type, trade.quantity) == (side.opposite, OrderType.LIMIT, 50)
    assert trade.price == day.price
    placed = to_ist(datetime.fromtimestamp(exit_.placed_ms / 1000, tz=day.world.clock.now().tzinfo))
    assert time(15, 20) <= placed.time() < time(15, 25)
