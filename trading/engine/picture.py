"""Ours beside the broker's, as the pages show it: kept in the database, so that no page has to ask the engine."""

import logging
from collections.abc import Mapping
from typing import Any

from trading.domain.drift import Drift, today_net
from trading.domain.errors import StoreUnavailable
from trading.domain.money import signed
from trading.domain.orders import BrokerPosition, Product
from trading.domain.positions import PositionKey
from trading.engine.desk import AccountDesk
from trading.engine.reads import SharedRead
from trading.engine.reconcile import Reconciler
from trading.engine.tools import Tools

logger = logging.getLogger(__name__)

KEPT_AGAIN_AFTER_S = 10.0
"""Wire seconds after which a picture is kept anew though nothing but the age of its reads changed."""
MOST_ORDERS = 100


class PictureKeeper:
    """Keeps one account's picture and tells the pages when something in it changed."""

    def __init__(self, tools: Tools, desk: AccountDesk, reconciler: Reconciler) -> None:
        self._tools = tools
        self._desk = desk
        self._reconciler = reconciler
        self._kept: Mapping[str, Any] = {}
        self._kept_at = float("-inf")

    def look(self) -> None:
        """Keep the picture when it changed, and now and then when it did not. Called after reads."""
        body, now = self._body(), self._tools.clock.monotonic()
        is_news = body != self._kept
        if not is_news and now - self._kept_at < KEPT_AGAIN_AFTER_S:
            return
        self._kept, self._kept_at = body, now
        picture = {**body, "wall": self._tools.clock.wall().isoformat(), "reads": self._reads()}
        self._tools.work.spawn(self._keep(picture), f"picture {self._desk.ref.key}", counts=False)
        if is_news:
            told = {"account": self._desk.ref.key, "is_reconciled": self._desk.is_reconciled}
            self._tools.deps.live.publish(self._desk.ref.client_id, "reconciliation", told)

    async def _keep(self, picture: Mapping[str, Any]) -> None:
        try:
            await self._tools.store.save_reconciliation(self._desk.ref.key, self._tools.day, picture)
        except StoreUnavailable as error:
            self._kept = {}  # the next look keeps it
            logger.warning("the picture of %s was not kept: %s", self._desk.ref.key, error)

    # -- what is in it -----------------------------------------------------------------------------------------

    def _body(self) -> dict[str, Any]:
        desk = self._desk
        return {
            "is_reconciled": desk.is_reconciled,
            "why_not": "" if desk.is_reconciled else desk.why_not,
            "has_session": desk.has_session,
            "rows": [self._row(key) for key in sorted(self._keys())],
            "orders": self._orders(),
        }

    def _reads(self) -> dict[str, Any]:
        """Give of each kind of read when an answer was last believed (market and wall time), and why not the newest."""
        reads: dict[str, SharedRead[Any]] = {
            "orders": self._desk.reads.orders,
            "trades": self._desk.reads.trades,
            "positions": self._desk.reads.positions,
        }
        return {
            name: {
                "good_at": read.good_at.isoformat() if read.good_at else None,
                "good_wall": read.good_wall.isoformat() if read.good_wall else None,
                "trouble": read.trouble,
            }
            for name, read in reads.items()
        }

    def _keys(self) -> set[PositionKey]:
        orders = self._desk.orders
        ours = {PositionKey(instrument, Product.MIS) for instrument in orders.instruments()}
        return ours | orders.expected_rows() | set(orders.rows)

    def _row(self, key: PositionKey) -> dict[str, Any]:
        orders, row = self._desk.orders, self._desk.orders.rows.get(key)
        is_ours = key.product == Product.MIS
        lot = orders.lot(key.instrument) if is_ours else 0
        net, counted = orders.today_net(key), orders.counted(key)
        drift = next((d for d in self._reconciler.drifts if (d.instrument, d.product) == key), None)
        return {
            "instrument": key.instrument,
            "product": key.product,
            "lot": lot,
            "external": (orders.net(key.instrument) if is_ours else net) - lot,
            "ours": net,
            "theirs": None if row is None else today_net(row),
            "overnight": row.overnight if row else 0,
            "fills": [counted.bought, counted.sold],
            "their_fills": None if row is None or row.bought is None else [row.bought, row.sold],
            "drift": _drift(drift),
            "says": drift.text if drift else self._says(key, net - lot, row),
        }

    def _says(self, key: PositionKey, external: int, row: BrokerPosition | None) -> str:
        adoption = self._desk.orders.adoptions.get(key)
        if adoption is not None:
            return f"the broker's word was adopted at {signed(adoption.net_quantity)} by {adoption.by}"
        if row is not None and row.overnight:
            return f"{row.overnight:+d} carried overnight: the client's own, never touched"
        if key.product != Product.MIS:
            return f"{key.product} is the client's own: counted, never touched"
        if external:
            return f"{external:+d} traded by hand: left alone until everything intraday is squared off"
        return "agrees"

    def _orders(self) -> list[dict[str, Any]]:
        """Give the orders that are not ours, and those of ours of which the broker's words and fills differ."""
        orders = self._desk.orders
        found = [
            {
                "order_id": order.order_id,
                "instrument": order.instrument,
                "product": order.product,
                "side": order.side.value,
                "quantity": order.quantity,
                "filled": order.filled_quantity,
                "listed": orders.traded(order.order_id),
                "status": order.status.value,
                "tag": "",
            }
            for order in orders.others.values()
        ]
        for working in orders.by_tag.values():
            listed = orders.traded(working.order_id) if working.order_id else 0
            if working.may_fill or working.filled != listed:
                found.append(
                    {
                        "order_id": working.order_id,
                        "instrument": working.intent.key.instrument,
                        "product": working.intent.product.value,
                        "side": working.intent.side.value,
                        "quantity": working.intent.quantity,
                        "filled": working.filled,
                        "listed": listed,
                        "status": working.order.status.value if working.order else working.state.value,
                        "tag": working.tag,
                    }
                )
        return found[-MOST_ORDERS:]


def _drift(drift: Drift | None) -> dict[str, Any] | None:
    if drift is None:
        return None
    return {"cause": drift.cause.value, "may_be_adopted": drift.may_be_adopted}
