"""The REST calls about orders and trades. A call gives the `data` of the reply or raises Refusal."""

from typing import Any

from aiohttp import web

from trading.domain.orders import Side
from trading.exchange.kite import forms, limits
from trading.exchange.kite.arriving import acknowledged, wait_for_ack
from trading.exchange.kite.calling import Guarded, read_form
from trading.exchange.kite.limits import RateLimits
from trading.exchange.kite.shapes import orders
from trading.exchange.venue import Venue, cover, refusals
from trading.exchange.venue.access import Session
from trading.exchange.venue.iceberg import MOST_LEGS
from trading.exchange.venue.kinds import ICEBERG
from trading.exchange.venue.orders import Order
from trading.exchange.venue.refusals import Refusal
from trading.exchange.venue.rules import OrderRequest
from trading.exchange.venue.slicing import plan_slices


class OrderCalls:
    """Orders of every variety over one venue. `session` is the caller's valid login."""

    def __init__(self, venue: Venue, rate_limits: RateLimits) -> None:
        self._venue = venue
        self._limits = rate_limits

    def routes(self, guarded: Guarded) -> list[web.RouteDef]:
        """List the routes with their rate-limit buckets."""
        return [
            web.get("/orders", guarded(limits.OTHER, self.orders)),
            web.post("/orders/{variety}", guarded(limits.ORDERS, self.place)),
            web.put("/orders/{variety}/{order_id}", guarded(limits.ORDERS, self.modify)),
            web.delete("/orders/{variety}/{order_id}", guarded(limits.ORDERS, self.cancel)),
            web.get("/orders/{order_id}", guarded(limits.OTHER, self.order_history)),
            web.get("/orders/{order_id}/trades", guarded(limits.OTHER, self.order_trades)),
            web.get("/trades", guarded(limits.OTHER, self.trades)),
            web.get("/instruments/trigger_range/{side}", guarded(limits.OTHER, self.trigger_range)),
        ]

    async def place(self, request: web.Request, session: Session) -> Any:
        """POST /orders/{variety}."""
        form = await read_form(request)
        wish = forms.parse_placement(request.match_info["variety"], form, self._venue.market)
        if forms.wants_slices(form):
            answer = self._place_slices(session, wish)
            await wait_for_ack(self._venue, answer["order_id"])
            return answer
        if wish.variety == ICEBERG:
            self._count_more(session, min(wish.iceberg_legs, MOST_LEGS) - 1)
        return await acknowledged(self._venue, self._venue.place(session.user_id, session.api_key, wish))

    def _place_slices(self, session: Session, wish: OrderRequest) -> dict[str, Any]:
        """Place an autosliced order; a child that fails does not fail the call."""
        slices = plan_slices(wish)
        self._count_more(session, len(slices) - 1)
        placed = self._venue.place_slices(session.user_id, session.api_key, slices)
        return {"order_id": placed.parent_id, "children": [orders.child_row(one) for one in placed.children]}

    def _count_more(self, session: Session, orders: int) -> None:
        """Count the orders that one request brings beside its own against the day's limit."""
        self._limits.count_orders(session.api_key, self._venue.market.day, max(0, orders))

    async def modify(self, request: web.Request, session: Session) -> Any:
        """PUT /orders/{variety}/{order_id}."""
        form = await read_form(request)
        order = self._order(request, session)
        self._venue.modify(order, forms.parse_modification(form, order))
        return await acknowledged(self._venue, order)

    async def cancel(self, request: web.Request, session: Session) -> Any:
        """DELETE /orders/{variety}/{order_id}; with a parent it is the exit of a cover order."""
        order = self._order(request, session)
        self._venue.cancel(order, parent_order_id=request.query.get("parent_order_id", ""))
        return await acknowledged(self._venue, order)

    def _order(self, request: web.Request, session: Session) -> Order:
        order = self._venue.order_of(session.user_id, request.match_info["order_id"])
        forms.check_variety(request.match_info["variety"], order)
        return order

    async def orders(self, request: web.Request, session: Session) -> Any:
        """GET /orders."""
        return [orders.order_row(order, state) for order, state in self._venue.reads.orders(session.user_id)]

    async def order_history(self, request: web.Request, session: Session) -> Any:
        """GET /orders/{order_id}."""
        found = self._venue.reads.history(session.user_id, request.match_info["order_id"])
        if found is None:
            raise Refusal(refusals.UNKNOWN_ORDER, error_type="OrderException", status=404)
        order, lines = found
        return [orders.order_row(order, state) for state in lines]

    async def order_trades(self, request: web.Request, session: Session) -> Any:
        """GET /orders/{order_id}/trades."""
        order_id = request.match_info["order_id"]
        self._venue.order_of(session.user_id, order_id)
        seen = self._venue.reads.trades(session.user_id)
        return [orders.trade_row(trade, order) for trade, order in seen if order.order_id == order_id]

    async def trades(self, request: web.Request, session: Session) -> Any:
        """GET /trades."""
        return [orders.trade_row(trade, order) for trade, order in self._venue.reads.trades(session.user_id)]

    async def trigger_range(self, request: web.Request, session: Session) -> Any:
        """GET /instruments/trigger_range/{buy|sell}; instruments without cover orders are absent."""
        side = request.match_info["side"].upper()
        if side not in list(Side):
            raise Refusal("Invalid `transaction_type`.")
        market = self._venue.market
        found = ((key, market.by_key(key)) for key in dict.fromkeys(request.query.getall("i", [])))
        return {
            key: orders.trigger_range_row(one, Side(side), market.quote(one.token))
            for key, one in found
            if one is not None and cover.is_covered(one)
        }
