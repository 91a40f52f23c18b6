"""The orders of one line that may still fill, and how the next one leaves. It decides nothing."""

from collections.abc import Mapping
from typing import Any, Protocol

from trading.domain.orders import OrderIntent, Purpose, PurposeKey
from trading.engine.account_orders import AccountOrders
from trading.engine.orders import Working
from trading.engine.tools import Tools
from trading.ports import AccountRef

ROUNDS_APART = 100
"""A target's round is its k; each further attempt of it is that much higher."""


class OrderWire(Protocol):
    """Takes orders and cancels of one account to its gateway."""

    def submit(self, working: Working) -> None: ...
    def cancel(self, working: Working) -> None: ...


class LineOrders:
    """One account and instrument. `position` counts the day's positions from 1; `alive` may fill."""

    def __init__(self, tools: Tools, ref: AccountRef, instrument: str, orders: AccountOrders, wire: OrderWire) -> None:
        self.ref = ref
        self.instrument = instrument
        self.position = 0
        self.alive: list[Working] = []
        self._tools = tools
        self._orders = orders
        self._wire = wire

    @property
    def lot(self) -> int:
        """The strategy's signed units."""
        return self._orders.lot(self.instrument)

    @property
    def net(self) -> int:
        """The account's signed units, whoever opened them."""
        return self._orders.net(self.instrument)

    @property
    def entries(self) -> list[Working]:
        """Entries that may still fill."""
        return [working for working in self.alive if not working.purpose.is_exit]

    @property
    def exits(self) -> list[Working]:
        """Exits that may still fill."""
        return [working for working in self.alive if working.purpose.is_exit]

    def key(self, purpose: Purpose, position: int, round_: int) -> PurposeKey:
        """Name an order of this line."""
        return PurposeKey(self._tools.day, self.ref.key, self.instrument, position, purpose, round_)

    def free_key(self, purpose: Purpose, round_: int) -> PurposeKey:
        """Give the first round of this purpose and position, from `round_` on, that was never used."""
        position, attempt = max(1, self.position), 0
        while True:
            key = self.key(purpose, position, round_ + attempt * ROUNDS_APART)
            if key.tag() not in self._orders.by_tag:
                return key
            attempt += 1

    def send(self, intent: OrderIntent, reason: Mapping[str, Any]) -> None:
        """Have a new order committed and sent."""
        working = Working(intent, self._tools.now(), reason)
        self._orders.add(working)
        self.alive.append(working)
        self._wire.submit(working)

    def cancel(self, working: Working) -> None:
        """Want an order no more: it is not sent, or cancelled as soon as the broker has it."""
        working.is_withdrawn = True
        if working.order_id and not working.is_cancel_asked:
            working.is_cancel_asked = True
            self._wire.cancel(working)

    def alarm(self, code: str, text: str, tag: str = "") -> None:
        """Call a person because of this line."""
        self._tools.alarm(self.ref.client_id, code, text, account=self.ref.key, tag=tag)
