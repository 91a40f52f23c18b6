"""Quotes for whoever asks now, in one request: prices have the smallest budget of all reads."""

import asyncio
import logging
from collections.abc import Mapping

from trading.domain.errors import BrokerError
from trading.domain.repricing import PriceQuote
from trading.engine.desk import AccountDesk
from trading.engine.tools import Tools

logger = logging.getLogger(__name__)

GATHERS_S = 0.05
"""Wire seconds in which those gather who ask at the same moment, as the exits of a square-off do."""


class QuoteReads:
    """Reads one account's quotes; who asks while a read waits for its turn is answered by it too."""

    def __init__(self, tools: Tools, desk: AccountDesk) -> None:
        self._tools = tools
        self._desk = desk
        self._turn = asyncio.Lock()
        self._wanted: set[str] = set()
        self._found: dict[str, PriceQuote] = {}

    async def of(self, instrument: str) -> PriceQuote | None:
        """Give a quote read after this was asked, None where it could not be read."""
        self._wanted.add(instrument)
        self._found.pop(instrument, None)
        async with self._turn:
            if instrument in self._wanted:
                await self._read()
            return self._found.get(instrument)

    async def _read(self) -> None:
        await self._tools.clock.sleep(GATHERS_S)
        wanted, self._wanted = self._wanted, set()
        found: Mapping[str, PriceQuote] = {}
        try:
            found = await self._desk.read_quotes(sorted(wanted))
        except BrokerError as error:
            logger.info("quotes of account=%s could not be read: %s", self._desk.ref.key, error.code)
        self._found.update(found)
