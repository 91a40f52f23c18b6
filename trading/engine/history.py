"""Reads minute candles for the engine, on connections that carry no order."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from datetime import datetime

from trading.domain.candles import Candle
from trading.domain.errors import BrokerAuthError, BrokerError
from trading.domain.instruments import Instrument
from trading.ports import AccountRef, PriceHistory

logger = logging.getLogger(__name__)


class HistoryReader:
    """One connection an account, made when it is first needed and made anew after a dead session."""

    def __init__(self, history_for: Callable[[AccountRef], PriceHistory]) -> None:
        self._history_for = history_for
        self._open: dict[str, PriceHistory] = {}
        self._turns: dict[str, asyncio.Lock] = {}

    async def minutes(
        self, accounts: Iterable[AccountRef], instrument: Instrument, start: datetime, end: datetime
    ) -> list[Candle] | None:
        """Give the minute candles from the first account that can read them, None when none can."""
        for ref in accounts:
            async with self._turns.setdefault(ref.key, asyncio.Lock()):
                try:
                    return await self._reader(ref).candles(instrument.token, start, end, "minute")
                except BrokerError as error:
                    logger.warning("account=%s gave no candles of %s: %s", ref.key, instrument.key, error)
                    if isinstance(error, BrokerAuthError):
                        await self._close(ref.key)
        return None

    async def close(self) -> None:
        """Give every connection back."""
        for key in list(self._open):
            await self._close(key)

    def _reader(self, ref: AccountRef) -> PriceHistory:
        if ref.key not in self._open:
            self._open[ref.key] = self._history_for(ref)
        return self._open[ref.key]

    async def _close(self, key: str) -> None:
        reader = self._open.pop(key)
        try:
            await reader.close()
        except BrokerError as error:
            logger.info("closing the history of account=%s: %s", key, error.code)
