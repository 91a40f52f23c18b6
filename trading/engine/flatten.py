"""Flattening: cancel entries, close shorts first, believe only the broker's positions.

`flatten` may be asked by a square-off, the kill switch, a limit or a person, at once or one after the other: it
wants the same things again, so that whoever is second finds them wanted or done.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from trading.domain.backoff import Backoff
from trading.domain.errors import BrokerError
from trading.domain.orders import Product, Purpose
from trading.engine.client import ClientBook, LastPrice
from trading.engine.desk import AccountDesk
from trading.engine.line import PositionLine
from trading.engine.open_words import open_at
from trading.engine.runner import LadderRunner
from trading.engine.tools import Tools
from trading.engine.wishes import ExitWish

logger = logging.getLogger(__name__)

SECOND_LOOK_S = 0.5
UNREAD_AGAIN_S = 2.0
"""Between looks at a broker that cannot be read: its first good second counts, at thirty reads a minute."""


def everything(instrument: str) -> bool:
    """Cover every instrument."""
    return True


@dataclass(frozen=True)
class FlattenOrder:
    """Whom and what to flatten, and why. `covers` says which instruments; `account` None means all of them.

    `skips_untouched` leaves accounts out that cannot be asked and where nothing of ours can be.
    """

    client: ClientBook
    purpose: Purpose
    reason: Mapping[str, Any] = field(default_factory=dict)
    covers: Callable[[str], bool] = everything
    account: str | None = None
    ends_day: bool = True
    skips_untouched: bool = False

    def desks(self) -> list[AccountDesk]:
        """Give the accounts that are to be flattened."""
        return [
            desk
            for desk in self.client.desks
            if self.account in (None, desk.ref.key) and not (self.skips_untouched and desk.is_untouched)
        ]

    def lines(self) -> list[PositionLine]:
        """Give the lines that are to be flattened."""
        return [line for desk in self.desks() for line in desk.lines.values() if self.covers(line.instrument)]


class Flattener:
    """Closes positions and confirms it with the broker."""

    def __init__(self, tools: Tools, runners: Callable[[PositionLine], LadderRunner | None], price: LastPrice) -> None:
        self._tools = tools
        self._runner_of = runners
        self._price = price
        self._again = Backoff(first_s=1.0, most_s=15.0)
        self._unread_again = Backoff(first_s=1.0, most_s=UNREAD_AGAIN_S)
        self._shown: dict[str, dict[str, int]] = {}
        """What each account's broker last showed open, signed units by instrument."""

    def begin(self, order: FlattenOrder) -> None:
        """Want everything closed, shorts first, then by value. Safe to call any number of times."""
        for line in self.in_order(order):
            self._flatten_line(line, order)

    def in_order(self, order: FlattenOrder) -> list[PositionLine]:
        """Give the lines in the order in which they are closed."""
        return sorted(order.lines(), key=self._urgency)

    async def flatten(self, order: FlattenOrder) -> None:
        """Close everything and return once the broker shows nothing open. Waits as long as it takes."""
        tries = 0
        while not await self._try_to_flatten(order, tries):
            tries += 1
            is_unread = any(desk.unread_since is not None for desk in order.desks())
            backoff = self._unread_again if is_unread else self._again
            await self._tools.clock.sleep(backoff.wait_s(tries, 1.0))

    async def _try_to_flatten(self, order: FlattenOrder, tries: int) -> bool:
        """Say whether it is flat. Whatever fails is told once and tried again: nobody else would close it."""
        try:
            with self._tools.work.doing():
                self.begin(order)
            await self._tools.changed.until(lambda: self._is_done(order) or self._is_news(order))
            with self._tools.work.doing():
                return self._is_done(order) and await self._is_flat_at_broker(order)
        except Exception as error:
            logger.exception("flattening client=%s failed", order.client.client_id)
            if not tries:
                text = f"closing positions failed and is tried again ({order.purpose}): {error!r}"
                self._tools.alarm(order.client.client_id, "FLATTEN_FAILED", text)
            return False

    def still_open_words(self, order: FlattenOrder) -> str:
        """Say for an alarm, account by account, all that is open, that may be, and that nobody can see."""
        return "; ".join(self._words(desk, order) for desk in order.desks() if self._words(desk, order))

    # -- inside ------------------------------------------------------------------------------------------------

    def _words(self, desk: AccountDesk, order: FlattenOrder) -> str:
        """Say what one account has: by its broker's last showing, and by our own count where that has something."""
        shown = {name: units for name, units in self._shown.get(desk.ref.key, {}).items() if order.covers(name)}
        lines = [line for line in desk.lines.values() if order.covers(line.instrument)]
        return open_at(desk, shown | {line.instrument: line.net for line in lines if line.net}, order.covers)

    def _urgency(self, line: PositionLine) -> tuple[bool, bool, Decimal, str]:
        """Shorts first (their loss has no end), then what has no price (nobody knows its risk), then by value.

        Value at the last price is the measure of risk: one rule for all, also where no ladder has a stop.
        """
        price = self._price(line.instrument)
        value = abs(line.net) * (price or Decimal(0))
        return line.net >= 0, price is not None, -value, line.instrument

    def _flatten_line(self, line: PositionLine, order: FlattenOrder) -> None:
        line.cancel_entries()
        runner = self._runner_of(line)
        if runner is not None:
            runner.flatten(order.purpose, order.reason, ends_day=order.ends_day)
        elif not line.is_flat:
            line.want_exit(ExitWish(order.purpose, 0, order.reason, is_whole=True))
        line.advance()

    def _is_done(self, order: FlattenOrder) -> bool:
        """Say whether our own count is flat, once the brokers told what became of the orders of another life."""
        return all(desk.is_restored for desk in order.desks()) and all(line.is_flat for line in order.lines())

    def _is_news(self, order: FlattenOrder) -> bool:
        """Say whether something is open that nobody wanted closed yet: a hand trades on, the broker told of it late."""
        return any(line.net and line.is_quiet and not line.is_held for line in order.lines())

    async def _is_flat_at_broker(self, order: FlattenOrder) -> bool:
        """Say whether every broker shows nothing open. One that could not be read is not flat."""
        flat = True
        for desk in order.desks():
            shown = await self._read(desk, order)
            if shown:  # fills may be on their way: read everything again before believing it
                await self._tools.clock.sleep(SECOND_LOOK_S)
                shown = await self._read(desk, order, reads_all=True)
            if shown is not None:
                self._shown[desk.ref.key] = shown
            for instrument in shown or ():
                desk.line(instrument)  # also what we never heard of is closed in the next round
            flat = flat and shown == {}
        return flat

    async def _read(self, desk: AccountDesk, order: FlattenOrder, *, reads_all: bool = False) -> dict[str, int] | None:
        try:
            if reads_all:
                await desk.read_orders()
                await desk.read_trades()
            positions = await desk.read_positions()
        except BrokerError as error:
            logger.warning("positions of account=%s could not be read: %s", desk.ref.key, error.code)
            return None
        return {
            position.instrument: position.net_quantity
            for position in positions
            if position.net_quantity and position.product == Product.MIS and order.covers(position.instrument)
        }
