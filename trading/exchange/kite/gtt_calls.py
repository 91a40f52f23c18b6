"""The GTT calls: /gtt/triggers."""

from collections.abc import Callable
from typing import Any

from aiohttp import web

from trading.domain.instruments import Instrument
from trading.domain.orders import Side
from trading.exchange.kite import limits
from trading.exchange.kite.bodies import Fields, json_field
from trading.exchange.kite.calling import Guarded, read_form
from trading.exchange.kite.shapes.gtt import gtt_row
from trading.exchange.venue import Venue
from trading.exchange.venue.access import Session
from trading.exchange.venue.gtt_values import Gtt, GttOrder, GttType, GttWish
from trading.exchange.venue.refusals import Refusal


class GttCalls:
    """Place, list, show, modify and delete triggers."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    def routes(self, guarded: Guarded) -> list[web.RouteDef]:
        """Give the routes; `guarded` wraps login, rate limit and envelope around a call."""
        return [
            web.get("/gtt/triggers", guarded(limits.OTHER, self.listed)),
            web.post("/gtt/triggers", guarded(limits.OTHER, self.place)),
            web.get("/gtt/triggers/{trigger_id}", guarded(limits.OTHER, self.one)),
            web.put("/gtt/triggers/{trigger_id}", guarded(limits.OTHER, self.modify)),
            web.delete("/gtt/triggers/{trigger_id}", guarded(limits.OTHER, self.delete)),
        ]

    async def place(self, request: web.Request, session: Session) -> Any:
        """POST /gtt/triggers."""
        wish = _wish(await read_form(request), self._venue.market.by_key)
        return _named(self._venue.saved(self._venue.gtt.place(session.user_id, session.api_key, wish)))

    async def modify(self, request: web.Request, session: Session) -> Any:
        """PUT /gtt/triggers/{id}."""
        wish = _wish(await read_form(request), self._venue.market.by_key)
        return _named(self._venue.saved(self._venue.gtt.modify(session.user_id, _id(request), wish)))

    async def delete(self, request: web.Request, session: Session) -> Any:
        """DELETE /gtt/triggers/{id}."""
        return _named(self._venue.saved(self._venue.gtt.delete(session.user_id, _id(request))))

    async def listed(self, request: web.Request, session: Session) -> Any:
        """GET /gtt/triggers."""
        return [self._row(gtt) for gtt in self._venue.gtt.listed(session.user_id)]

    async def one(self, request: web.Request, session: Session) -> Any:
        """GET /gtt/triggers/{id}."""
        return self._row(self._venue.gtt.one(session.user_id, _id(request)))

    def _row(self, gtt: Gtt) -> dict[str, Any]:
        app = self._venue.access.app_of(gtt.api_key)
        return gtt_row(gtt, app.app_id if app else 0)


def _named(gtt: Gtt) -> dict[str, int]:
    return {"trigger_id": gtt.trigger_id}


def _id(request: web.Request) -> int:
    text = request.match_info["trigger_id"]
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise Refusal("Invalid `trigger_id`.")
    return int(text)


def _wish(form: dict[str, str], by_key: Callable[[str], Instrument | None]) -> GttWish:
    """Read the form: `type`, and `condition` and `orders` as JSON texts."""
    kind = form.get("type", "")
    if kind not in list(GttType):
        raise Refusal("Invalid `type`.")
    condition = Fields(json_field(form, "condition"), "condition")
    instrument = _instrument(condition, by_key)
    values, orders = condition.items("trigger_values"), json_field(form, "orders")
    legs = GttType(kind).legs
    if len(values) != legs:
        raise Refusal(f"Invalid `trigger_values`. A {kind} trigger has {legs}.")
    if not isinstance(orders, list) or len(orders) != legs:
        raise Refusal(f"Invalid `orders`. A {kind} trigger has {legs}.")
    return GttWish(
        type=GttType(kind),
        instrument=instrument,
        values=tuple(Fields({"trigger_values": value}, "").price("trigger_values") for value in values),
        last_price=condition.price("last_price"),
        orders=tuple(_order(Fields(order, "orders"), instrument) for order in orders),
    )


def _instrument(condition: Fields, by_key: Callable[[str], Instrument | None]) -> Instrument:
    instrument = by_key(f"{condition.text('exchange')}:{condition.text('tradingsymbol')}")
    if instrument is None:
        raise Refusal("Invalid `tradingsymbol`.")
    return instrument


def _order(order: Fields, instrument: Instrument) -> GttOrder:
    if f"{order.text('exchange')}:{order.text('tradingsymbol')}" != instrument.key:
        raise Refusal("Invalid `tradingsymbol`. The orders and the condition of a trigger have the same instrument.")
    if order.text("order_type") != "LIMIT":
        raise Refusal("Invalid `order_type`. Only LIMIT orders are allowed in a GTT.")
    side = order.text("transaction_type")
    if side not in list(Side):
        raise Refusal("Invalid `transaction_type`.")
    return GttOrder(Side(side), order.whole("quantity"), order.text("product"), order.price("price"))
