"""One client: policy, accounts, and what the day came to so far."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from trading.domain.orders import Product
from trading.engine.desk import AccountDesk
from trading.engine.line import PositionLine
from trading.engine.orders import Working
from trading.ports import ClientPolicy

LastPrice = Callable[[str], Decimal | None]
"""Gives an instrument's last price in rupees, None while unknown."""


@dataclass(frozen=True, slots=True)
class DayPnl:
    """Rupees without charges. `unpriced` names open instruments whose last price is not known."""

    realised: Decimal
    unrealised: Decimal
    unpriced: tuple[str, ...] = ()

    @property
    def total(self) -> Decimal:
        """Realised and unrealised together."""
        return self.realised + self.unrealised


@dataclass
class ClientBook:
    """What the gate, the limits and the square-off ask about a client."""

    policy: ClientPolicy
    desks: list[AccountDesk] = field(default_factory=list)
    is_squared_off: bool = False

    @property
    def client_id(self) -> int:
        """The client's id."""
        return self.policy.client_id

    def lines(self) -> list[PositionLine]:
        """Give all lines of all accounts."""
        return [line for desk in self.desks for line in desk.lines.values()]

    def entries_sent(self, *, besides: Working | None = None) -> int:
        """Count today's entries that the gate let pass; the slices of one count once, those of `besides` not at all."""
        made = {_entry_of(one) for desk in self.desks for one in desk.orders.by_tag.values() if one.counts_as_entry}
        return len(made - {_entry_of(besides)} if besides is not None else made)

    def open_positions(self, *, besides: PositionLine) -> int:
        """Count positions that are open, or for which the gate let an entry pass, without the one of line `besides`."""
        return sum(
            bool(line.net) or any(working.counts_as_entry for working in line.live_entries)
            for line in self.lines()
            if line is not besides
        )

    def pnl(self, last_price: LastPrice) -> DayPnl:
        """Add up the day from fills; what is open counts at its last price."""
        realised = unrealised = Decimal(0)
        unpriced = []
        for desk in self.desks:
            book = desk.orders.positions
            realised += book.realised_pnl()
            for position in book.open_positions():
                price = last_price(position.key.instrument)
                if price is None:
                    unpriced.append(position.key.instrument)
                else:
                    unrealised += position.unrealised_pnl(price)
        return DayPnl(realised, unrealised, tuple(unpriced))

    def holds(self, instrument: str) -> bool:
        """Say whether anything of an instrument is open intraday."""
        return any(desk.orders.positions.net_quantity(instrument, Product.MIS) for desk in self.desks)


def _entry_of(working: Working) -> tuple[str, str, int]:
    key = working.intent.key
    return key.account, key.instrument, key.position
