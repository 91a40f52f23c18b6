"""The REST calls that tell what orders would block and cost. Nothing is changed by them."""

from typing import Any

from aiohttp import web

from trading.exchange.kite import limits
from trading.exchange.kite.calling import Guarded
from trading.exchange.kite.order_queries import margin_query, noted_order, read_orders
from trading.exchange.kite.shapes.charges import note_row
from trading.exchange.kite.shapes.margins import basket_row, order_margin_row
from trading.exchange.venue import Venue
from trading.exchange.venue.access import Session
from trading.exchange.venue.accounts import Account
from trading.exchange.venue.margin_quotes import MarginQuote, charges_at, quote_basket, quote_order
from trading.exchange.venue.refusals import Refusal

COMPACT = "compact"


class MarginCalls:
    """Order margins, basket margins and contract notes over one venue."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    def routes(self, guarded: Guarded) -> list[web.RouteDef]:
        """List the routes with their rate-limit buckets."""
        return [
            web.post("/margins/orders", guarded(limits.OTHER, self.order_margins)),
            web.post("/margins/basket", guarded(limits.OTHER, self.basket_margins)),
            web.post("/charges/orders", guarded(limits.OTHER, self.contract_note)),
        ]

    async def order_margins(self, request: web.Request, session: Session) -> Any:
        """POST /margins/orders: each order by itself, besides the account's positions and orders."""
        quotes = await self._quotes(request, self._venue.books.accounts[session.user_id])
        return [order_margin_row(one) for one in quotes]

    async def basket_margins(self, request: web.Request, session: Session) -> Any:
        """POST /margins/basket: all orders together, with the account's positions or without."""
        account = self._venue.books.accounts[session.user_id]
        if not _truth(request.query.get("consider_positions", "true"), "consider_positions"):
            account = Account(session.user_id, account.cash)
        mode = request.query.get("mode", "")
        if mode not in ("", COMPACT):
            raise Refusal("Invalid `mode`.")
        basket = quote_basket(account, await self._quotes(request, account))
        return basket_row(basket, is_compact=mode == COMPACT)

    async def _quotes(self, request: web.Request, account: Account) -> list[MarginQuote]:
        market = self._venue.market
        queries = [margin_query(row, market) for row in await read_orders(request)]
        return [quote_order(account, one, market.quote(one.instrument.token), market.day) for one in queries]

    async def contract_note(self, request: web.Request, session: Session) -> Any:
        """POST /charges/orders: what executed orders cost."""
        market = self._venue.market
        noted = [noted_order(row, market) for row in await read_orders(request)]
        return [
            note_row(one.query, one.variety, one.average_price, charges_at(one.query, one.average_price, market.day))
            for one in noted
        ]


def _truth(text: str, field: str) -> bool:
    """Read a boolean as any client writes it: True, true, 1."""
    found = {"true": True, "1": True, "false": False, "0": False}.get(text.lower())
    if found is None:
        raise Refusal(f"Invalid `{field}`.")
    return found
