"""Believing the broker's word for a position: what the client traded or converted where nobody told us of it.

An adoption re-bases our count from a moment on; it sends nothing. Who adopts is in the event log.
"""

from decimal import Decimal

from trading.domain.adoption import Adoption
from trading.domain.drift import Drift, DriftCause, today_net
from trading.domain.positions import PositionKey
from trading.engine.desk import AccountDesk
from trading.engine.instruments import Instruments
from trading.engine.tools import Tools


class Adopter:
    """Adopts positions of one account."""

    def __init__(self, tools: Tools, desk: AccountDesk, instruments: Instruments) -> None:
        self._tools = tools
        self._desk = desk
        self._instruments = instruments

    async def convert(self, here: Drift, there: Drift) -> None:
        """Follow a conversion by hand: the units leave one product and arrive in the other, at what they cost."""
        old, new = _key(here), _key(there)
        cost = self._desk.orders.positions.position(old).average_price or self._price(old)
        stamp = f"{self._tools.now():%H:%M:%S}"
        for key in (old, new):
            await self.adopt(key, f"converted:{key.instrument}:{key.product}:{stamp}", DriftCause.CONVERTED, price=cost)

    async def adopt(
        self, key: PositionKey, once: str, cause: str, *, by: str = "the engine", price: Decimal | None = None
    ) -> Adoption:
        """Keep that the broker's present row is right, then count by it. Raises StoreUnavailable.

        `once` makes it happen once a day and account.
        """
        desk, row = self._desk, self._desk.orders.rows.get(key)
        adoption = Adoption(
            key=once,
            instrument=key.instrument,
            product=key.product,
            net_quantity=today_net(row) if row else 0,
            bought=row.bought if row else 0,
            sold=row.sold if row else 0,
            price=price if price is not None else self._price(key),
            at=self._tools.now(),
            cause=cause,
            by=by,
        )
        was = desk.orders.today_net(key)
        if await self._tools.store.save_adoption(desk.ref.key, self._tools.day, adoption):
            told = {"product": key.product, "was": was, "is": adoption.net_quantity, "cause": cause, "by": by}
            self._tools.journal.record(
                "ADOPTED", desk.ref.client_id, told, account=desk.ref.key, instrument=key.instrument
            )
        desk.orders.adopt(adoption)
        desk.on_trades()
        desk.line(key.instrument).advance()
        return adoption

    def _price(self, key: PositionKey) -> Decimal:
        row = self._desk.orders.rows.get(key)
        return self._instruments.last_price(key.instrument) or (row.last_price if row else Decimal(0))


def _key(drift: Drift) -> PositionKey:
    return PositionKey(drift.instrument, drift.product)
