"""Whose P&L has to be looked at again, and looking at it."""

import logging
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from trading.domain.errors import StoreUnavailable
from trading.domain.ticks import Tick
from trading.engine.client import ClientBook
from trading.engine.house import House
from trading.engine.limits import LimitWatch
from trading.engine.live import LiveView
from trading.engine.tools import Tools

logger = logging.getLogger(__name__)


class PnlWatch:
    """A tick costs one dictionary look-up here unless somebody holds its instrument."""

    def __init__(self, tools: Tools, house: House, limits: LimitWatch, live: LiveView) -> None:
        self._tools = tools
        self._house = house
        self._limits = limits
        self._live = live
        self._holders: dict[int, set[int]] = {}
        self._changed: set[int] = set()
        self._saved_minute: datetime | None = None
        self._is_touched = False

    def fills_changed(self, client: ClientBook) -> None:
        """A client's fills changed: note what it holds now."""
        for holders in self._holders.values():
            holders.discard(client.client_id)
        for desk in client.desks:
            for position in desk.orders.positions.open_positions():
                instrument = self._house.instruments.find(position.key.instrument)
                if instrument is not None:
                    self._holders.setdefault(instrument.token, set()).add(client.client_id)
        self._changed.add(client.client_id)

    def is_held(self, token: int) -> bool:
        """Say whether anybody holds an instrument."""
        return bool(self._holders.get(token))

    def ticks_came(self, ticks: Iterable[Tick]) -> None:
        """Prices changed."""
        self._is_touched = True
        for tick in ticks:
            holders = self._holders.get(tick.token)
            if holders:
                self._changed.update(holders)

    def quotes_came(self) -> None:
        """Prices came by REST: look at everybody who holds something."""
        self._changed.update(*self._holders.values())

    def evaluate(self) -> None:
        """Judge and publish every client whose P&L changed; keep a point of the curve once a market minute."""
        changed, self._changed = self._changed, set()
        for client_id in changed:
            client = self._house.clients[client_id]
            pnl = client.pnl(self._house.instruments.last_price)
            self._live.pnl(client, pnl)
            self._limits.judge(client, pnl)
        self._save_minute()

    def _save_minute(self) -> None:
        minute = self._tools.now().replace(second=0, microsecond=0)
        if not self._is_touched or minute == self._saved_minute:
            return
        self._saved_minute, self._is_touched = minute, False
        points = []
        for client in self._house.clients.values():
            pnl = client.pnl(self._house.instruments.last_price)
            points.append((client.client_id, pnl.realised, pnl.unrealised))
        self._tools.spawn(self._save(minute, points), "save pnl")

    async def _save(self, minute: datetime, points: list[tuple[int, Decimal, Decimal]]) -> None:
        try:
            await self._tools.store.save_pnl(minute, points)
        except StoreUnavailable as error:
            logger.warning("the P&L of %s was not saved: %s", minute, error)
