"""While the feed is silent: the broker is asked for the prices of what is open, so that stops and limits still work.

Entries stay off, and nothing else is decided by such a price. Design: a stale feed means alarm and quotes by REST.
"""

import logging
from decimal import Decimal

from trading.domain.errors import BrokerError
from trading.domain.money import to_scaled
from trading.domain.ticks import Tick
from trading.engine.desk import AccountDesk
from trading.engine.house import House
from trading.engine.ladder_book import JUMP_PARTS
from trading.engine.open_words import open_words
from trading.engine.tools import Tools

logger = logging.getLogger(__name__)

ASKS_EVERY_S = 2.0
"""Wire seconds; brokers take one quote request a second and account."""
ALARMS_AFTER_S = 5.0
BLIND_AFTER_S = 5.0
"""Wire seconds without a quote either, after which a person is told that no stop is decided; again each minute."""
TELLS_AGAIN_AFTER_S = 60.0


class QuoteWatch:
    """Asks every account with something open for its prices, for as long as the feed brings none."""

    def __init__(self, tools: Tools, house: House) -> None:
        self._tools = tools
        self._house = house
        self._silent_since: float | None = None
        self._has_alarmed = False
        self._doubted: dict[str, Decimal] = {}
        self._quoted_at: dict[str, float] = {}
        self._told_blind_at: dict[str, float] = {}

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await self._tools.clock.sleep(ASKS_EVERY_S)
            if not self._house.control.prices_stopped:
                self._silent_since, self._has_alarmed = None, False
                for known in (self._doubted, self._quoted_at, self._told_blind_at):
                    known.clear()
                continue
            desks = [parts.desk for parts in self._house.accounts.values() if _open(parts.desk)]
            if desks:
                self._alarm()
                for desk in desks:
                    self._alarm_blind(desk)
                    self._tools.work.spawn(self._ask(desk), f"quotes {desk.ref.key}", counts=False)

    def _alarm(self) -> None:
        now = self._tools.clock.monotonic()
        self._silent_since = self._silent_since or now
        if not self._has_alarmed and now - self._silent_since >= ALARMS_AFTER_S:
            self._has_alarmed = True
            text = f"{self._house.control.feed_trouble}: stops and limits go by the broker's quotes, entries are off"
            self._tools.alarm(None, "FEED_STALE", text)

    def _alarm_blind(self, desk: AccountDesk) -> None:
        """Call a person when the broker tells no price either: what is open has no stop that anybody watches."""
        key, now = desk.ref.key, self._tools.clock.monotonic()
        since = self._quoted_at.get(key, self._silent_since or now)
        told_at = self._told_blind_at.get(key)
        if now - since < BLIND_AFTER_S or (told_at is not None and now - told_at < TELLS_AGAIN_AFTER_S):
            return
        self._told_blind_at[key] = now
        held = {p.key.instrument: p.net_quantity for p in desk.orders.positions.open_positions()}
        text = f"neither feed nor quotes of {key} tell a price: no stop is decided there; open: {open_words(held)}"
        self._tools.alarm(desk.ref.client_id, "PRICES_UNKNOWN", text, account=key)

    async def _ask(self, desk: AccountDesk) -> None:
        try:
            prices = await desk.read_prices(_open(desk))
        except BrokerError as error:
            logger.warning("no quotes of account=%s: %s", desk.ref.key, error.code)
            return
        if prices:
            self._quoted_at[desk.ref.key] = self._tools.clock.monotonic()
        if self._house.control.prices_stopped:
            believed = {key: price for key, price in prices.items() if self._is_plausible(key, price)}
            self._house.instruments.quote(believed, int(self._tools.now().timestamp()))
            for key in believed:
                self._decide(desk, key)

    def _is_plausible(self, key: str, price: Decimal) -> bool:
        """A price that jumps needs a second quote, as a tick needs a second packet."""
        known, doubted = self._house.instruments.last_price(key), self._doubted.pop(key, None)
        if price <= 0:
            return False
        if any(near and abs(price - near) * JUMP_PARTS <= near for near in (known, doubted)) or known is None:
            return True
        self._doubted[key] = price
        return False

    def _decide(self, desk: AccountDesk, key: str) -> None:
        """Show the quote to the ladder that holds something there; it may exit by it, never enter."""
        runner = self._house.runner_of(desk.line(key))
        price = self._house.instruments.last_price(key)
        if runner is None or price is None or runner.ladder is None or runner.ladder.position_side is None:
            return
        scaled, stamp = to_scaled(price), int(self._tools.now().timestamp())
        runner.on_tick(Tick(runner.token, scaled, stamp, scaled, scaled, scaled, 0, 0))
        self._house.book.refresh(runner.token)


def _open(desk: AccountDesk) -> list[str]:
    return [position.key.instrument for position in desk.orders.positions.open_positions()]
