"""The feed held against the broker's own quotes: where they differ, nothing is entered until they agree again.

A feed can be fresh and wrong (another instrument's token, a bias): the quotes go by the symbol, not by the token.
"""

import logging
from collections.abc import Iterable
from decimal import Decimal

from trading.domain.errors import BrokerError
from trading.domain.money import from_scaled
from trading.engine.desk import AccountDesk
from trading.engine.house import House
from trading.engine.tools import Tools

logger = logging.getLogger(__name__)

CHECKS_EVERY_S = 15.0
"""Wire seconds: one request for all instruments of today."""
AGAIN_AFTER_S = 2.0
"""Before a difference counts: the market may have moved between tick and quote."""
MAY_DIFFER = Decimal("0.005")


class PriceCheck:
    """Looks from time to time, for ever; `ControlState.disputed` has what differs."""

    def __init__(self, tools: Tools, house: House) -> None:
        self._tools = tools
        self._house = house

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await self._tools.clock.sleep(CHECKS_EVERY_S)
            differs = await self._differences(self._house.instruments.keys())
            if differs:
                await self._tools.clock.sleep(AGAIN_AFTER_S)
                differs = await self._differences(differs)
            if differs is not None:
                self._judge(differs)

    async def _differences(self, keys: Iterable[str]) -> dict[str, str] | None:
        """Give in words what differs of these instruments; None where nothing could be compared."""
        desk, control = self._desk(), self._house.control
        if desk is None or control.feed_trouble:
            return None
        wanted = list(keys)
        before = self._ticked(wanted)
        if not before:
            return None
        try:
            quotes = await desk.read_prices(list(before))
        except BrokerError as error:
            logger.info("prices could not be compared: %s", error.code)
            return None
        after = self._ticked(wanted)
        found = {}
        for key, quote in quotes.items():
            ticked = [price for price in (before.get(key), after.get(key)) if price is not None]
            if quote > 0 and ticked and all(abs(price - quote) > quote * MAY_DIFFER for price in ticked):
                found[key] = f"the feed says {ticked[-1]} for {key} where the broker quotes {quote}"
        return found

    def _ticked(self, keys: Iterable[str]) -> dict[str, Decimal]:
        ticks = ((key, self._house.instruments.last_tick(key)) for key in keys)
        return {key: from_scaled(tick.ltp) for key, tick in ticks if tick is not None}

    def _desk(self) -> AccountDesk | None:
        desks = [parts.desk for parts in self._house.accounts.values()]
        return next((desk for desk in desks if desk.has_session and desk.unread_since is None), None)

    def _judge(self, differs: dict[str, str]) -> None:
        was, self._house.control.disputed = self._house.control.disputed, differs
        for key, words in differs.items():
            if key not in was:
                self._tools.alarm(None, "PRICES_DISAGREE", f"{words}: nothing is entered there")
        for key in sorted(was.keys() - differs.keys()):
            self._tools.journal.record("PRICES_AGREE", None, {"text": f"feed and quote of {key} agree"}, instrument=key)
