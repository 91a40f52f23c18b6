"""The day's profit and loss limits: reaching one squares off and latches until the next session."""

import logging

from trading.domain.control import TradingState
from trading.domain.errors import StoreUnavailable
from trading.domain.orders import Purpose
from trading.domain.risk import Denial, check_day_limits
from trading.engine.client import ClientBook, DayPnl
from trading.engine.house import House
from trading.engine.square_off import Flattener, FlattenOrder
from trading.engine.tools import Tools

logger = logging.getLogger(__name__)

STORE_RETRY_S = 0.5


class LimitWatch:
    """Judges a client each time its P&L changed."""

    def __init__(self, tools: Tools, house: House, flattener: Flattener) -> None:
        self._tools = tools
        self._house = house
        self._flattener = flattener
        self._reached: set[int] = set()

    def judge(self, client: ClientBook, pnl: DayPnl) -> None:
        """Begin the square-off when a limit is reached; once a day and client."""
        if client.client_id in self._reached:
            return
        denial = check_day_limits(
            realised=pnl.realised,
            unrealised=pnl.unrealised,
            loss_limit=client.policy.daily_loss_limit,
            profit_limit=client.policy.daily_profit_limit,
        )
        if denial is not None:
            self._reached.add(client.client_id)
            self._house.control.latched.setdefault(client.client_id, denial.message)
            self._house.control.clients[client.client_id] = TradingState.REDUCING
            self._house.on_state(client.client_id)
            self._tools.work.spawn(self._carry_out(client, denial), f"limit {client.client_id}", counts=False)

    async def _carry_out(self, client: ClientBook, denial: Denial) -> None:
        told = {"code": denial.code, "text": f"{denial.message}: everything is closed, no entries until tomorrow"}
        self._tools.journal.record("LIMIT_REACHED_TODAY", client.client_id, told)
        await self._latch(client.client_id, TradingState.REDUCING, denial)
        reason = {"rule": denial.message}
        await self._flattener.flatten(FlattenOrder(client, Purpose.LIMIT_REACHED, reason))
        await self._latch(client.client_id, TradingState.HALTED, denial)

    async def _latch(self, client_id: int, state: TradingState, denial: Denial) -> None:
        while True:
            try:
                with self._tools.work.doing():
                    await self._tools.store.lower_state(client_id, state, denial.message, latch=True)
                return
            except StoreUnavailable as error:
                logger.warning("the latch of client=%s waits for the database: %s", client_id, error)
                await self._tools.clock.sleep(STORE_RETRY_S)
