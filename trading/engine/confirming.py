"""The second word on a price that jumped: the broker's quote, asked for at once. Without one, the next packet decides.

One request a second for all that is doubted then; a price that the quote does not bear out was no price.
"""

import logging
from collections.abc import Callable
from decimal import Decimal

from trading.domain.errors import BrokerError
from trading.domain.money import format_scaled, to_scaled
from trading.domain.ticks import Tick
from trading.engine.desk import AccountDesk
from trading.engine.house import House
from trading.engine.ladder_book import NEAR_PARTS
from trading.engine.tools import Tools

logger = logging.getLogger(__name__)

ASKS_EVERY_S = 1.0
TELLS_EVERY_S = 60.0
"""Wire seconds between two lines of the log about one instrument."""


class PriceConfirmer:
    """Told of every doubted tick. `on_confirmed` is called with the ticks that a quote bore out."""

    def __init__(self, tools: Tools, house: House, on_confirmed: Callable[[list[Tick]], None]) -> None:
        self._tools = tools
        self._house = house
        self._on_confirmed = on_confirmed
        self._waiting: dict[str, Tick] = {}
        self._asked_at = float("-inf")
        self._is_asking = False
        self._told_at: dict[tuple[str, str], float] = {}
        self._untold: dict[tuple[str, str], int] = {}

    def doubt(self, tick: Tick, known: int) -> None:
        """A tick jumped from the price `known`: ask the broker."""
        key = self._house.instruments.key_of(tick.token)
        text = f"{format_scaled(tick.ltp)} after {format_scaled(known)} is not believed before a second word says so"
        self._tell("PRICE_DOUBTED", key, text)
        self._waiting[key] = tick
        if not self._is_asking:
            self._is_asking = True
            self._tools.spawn(self._ask_all(), "confirm prices")

    async def _ask_all(self) -> None:
        try:
            while self._waiting:
                since = self._tools.clock.monotonic() - self._asked_at
                if since < ASKS_EVERY_S:
                    await self._tools.clock.sleep(ASKS_EVERY_S - since)
                doubted = {key: one for key, one in self._waiting.items() if self._house.book.is_doubted(one)}
                self._waiting.clear()
                if doubted:
                    self._asked_at = self._tools.clock.monotonic()
                    self._judge(doubted, await self._quotes(list(doubted)))
        finally:
            self._is_asking = False

    async def _quotes(self, keys: list[str]) -> dict[str, Decimal]:
        desk = self._desk()
        if desk is None:
            return {}
        try:
            return await desk.read_prices(keys)
        except BrokerError as error:
            logger.info("doubted prices could not be asked for: %s", error.code)
            return {}

    def _desk(self) -> AccountDesk | None:
        """Any account that can be asked: a price is the same for all."""
        desks = [parts.desk for parts in self._house.accounts.values()]
        return next((desk for desk in desks if desk.has_session and desk.unread_since is None), None)

    def _judge(self, doubted: dict[str, Tick], quotes: dict[str, Decimal]) -> None:
        confirmed = []
        for key, tick in doubted.items():
            price = quotes.get(key)
            if price is None or price <= 0:
                continue
            scaled = to_scaled(price)
            if abs(scaled - tick.ltp) * NEAR_PARTS > scaled:
                self._house.book.refuse(tick)
                self._tell(
                    "PRICE_REJECTED",
                    key,
                    f"{format_scaled(tick.ltp)} was no price: the broker quotes {format_scaled(scaled)}",
                )
            elif self._house.book.confirm(tick):
                confirmed.append(tick)
        if confirmed:
            self._on_confirmed(confirmed)

    def _tell(self, kind: str, key: str, text: str) -> None:
        """Write to the log, once a minute an instrument, with how many were not told."""
        now, place = self._tools.clock.monotonic(), (kind, key)
        if now - self._told_at.get(place, float("-inf")) < TELLS_EVERY_S:
            self._untold[place] = self._untold.get(place, 0) + 1
            return
        self._told_at[place] = now
        more = self._untold.pop(place, 0)
        told = {"text": text, **({"more": more} if more else {})}
        self._tools.journal.record(kind, None, told, instrument=key)
