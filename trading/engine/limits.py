"""The day's profit and loss limits: reaching one squares off and latches until the next session."""

import asyncio

from trading.domain.control import TradingState
from trading.domain.orders import Purpose
from trading.domain.risk import check_day_limits
from trading.engine.client import ClientBook, DayPnl
from trading.engine.flatten import Flattener, FlattenOrder
from trading.engine.house import House
from trading.engine.tools import Tools


class LimitWatch:
    """Judges a client each time its P&L changed."""

    def __init__(self, tools: Tools, house: House, flattener: Flattener) -> None:
        self._tools = tools
        self._house = house
        self._flattener = flattener
        self._reached: set[int] = set()

    def judge(self, client: ClientBook, pnl: DayPnl) -> None:
        """Begin the square-off when a limit is reached; once, and again only where the latch is gone all the same."""
        if client.client_id in self._reached:
            if self._house.control.is_latched(client.client_id):
                return
            self._reached.discard(client.client_id)
        denial = check_day_limits(
            realised=pnl.realised,
            unrealised=pnl.unrealised,
            loss_limit=client.policy.daily_loss_limit,
            profit_limit=client.policy.daily_profit_limit,
        )
        if denial is not None:
            told = {"code": denial.code, "text": f"{denial.message}: everything is closed, no entries until tomorrow"}
            self._tools.journal.record("LIMIT_REACHED_TODAY", client.client_id, told)
            self._tools.alarm(client.client_id, "DAILY_LIMIT", told["text"])
            self._begin(client, denial.message)

    def resume(self) -> None:
        """Go on with what another life began: a latch that was set, and not confirmed flat yet."""
        control = self._house.control
        for client in self._house.clients.values():
            message = control.latched.get(client.client_id)
            if message and control.clients.get(client.client_id) is not TradingState.HALTED:
                self._begin(client, message)

    def _begin(self, client: ClientBook, message: str) -> None:
        self._reached.add(client.client_id)
        self._house.control.latch(client.client_id, message)
        self._house.on_state(client.client_id)
        self._tools.work.spawn(self._carry_out(client, message), f"limit {client.client_id}", counts=False)

    async def _carry_out(self, client: ClientBook, message: str) -> None:
        order = FlattenOrder(client, Purpose.LIMIT_REACHED, {"rule": message}, ends_day=False)
        # A database that is away keeps the latch waiting, never the exits: entries are off in this process already.
        await asyncio.gather(
            self._latch(client.client_id, TradingState.REDUCING, message), self._flattener.flatten(order)
        )
        await self._latch(client.client_id, TradingState.HALTED, message)

    async def _latch(self, client_id: int, state: TradingState, message: str) -> None:
        store = self._tools.store
        await self._tools.until_stored(lambda: store.lower_state(client_id, state, message, latch=True), "a latch")
