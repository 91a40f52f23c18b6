"""The mutual fund calls: /mf/orders, /mf/sips, /mf/holdings and /mf/instruments."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from trading.domain.money import to_scaled
from trading.exchange.kite import limits
from trading.exchange.kite.bodies import Fields
from trading.exchange.kite.calling import Guarded, read_form
from trading.exchange.kite.shapes import funds
from trading.exchange.venue import Venue
from trading.exchange.venue.access import Session
from trading.exchange.venue.fund_values import UNIT_SCALE, FundOrder, Sip
from trading.exchange.venue.funds import SipWish
from trading.exchange.venue.refusals import Refusal
from trading.exchange.venue.rules import MAX_TAG


class FundCalls:
    """Orders, SIPs, holdings and the list of funds."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    def routes(self, guarded: Guarded) -> list[web.RouteDef]:
        """List the routes with their rate-limit buckets."""
        calls = [
            (web.get, "/mf/orders", self.orders),
            (web.post, "/mf/orders", self.place),
            (web.get, "/mf/orders/{order_id}", self.order),
            (web.delete, "/mf/orders/{order_id}", self.cancel),
            (web.get, "/mf/sips", self.sips),
            (web.post, "/mf/sips", self.place_sip),
            (web.get, "/mf/sips/{sip_id}", self.sip),
            (web.put, "/mf/sips/{sip_id}", self.modify_sip),
            (web.delete, "/mf/sips/{sip_id}", self.cancel_sip),
            (web.get, "/mf/holdings", self.holdings),
            (web.get, "/mf/instruments", self.instruments),
        ]
        return [method(path, guarded(limits.OTHER, call)) for method, path, call in calls]

    async def place(self, request: web.Request, session: Session) -> Any:
        """POST /mf/orders: a purchase by amount, a redemption by quantity."""
        form = await read_form(request)
        fields = Fields(form, "form")
        symbol, side, tag = fields.text("tradingsymbol"), fields.text("transaction_type"), _tag(form)
        if side == "BUY":
            order = self._venue.funds.buy(session.user_id, symbol, _amount(fields, "amount"), tag)
        elif side == "SELL":
            order = self._venue.funds.sell(session.user_id, symbol, _units(fields), tag)
        else:
            raise Refusal("Invalid `transaction_type`.")
        return {"order_id": self._venue.saved(order).order_id}

    async def cancel(self, request: web.Request, session: Session) -> Any:
        """DELETE /mf/orders/{order_id}."""
        order = self._venue.funds.cancel(session.user_id, request.match_info["order_id"])
        return {"order_id": self._venue.saved(order).order_id}

    async def orders(self, request: web.Request, session: Session) -> Any:
        """GET /mf/orders."""
        return [self._order_row(order) for order in self._venue.funds.listed(session.user_id)]

    async def order(self, request: web.Request, session: Session) -> Any:
        """GET /mf/orders/{order_id}."""
        return self._order_row(self._venue.funds.order(session.user_id, request.match_info["order_id"]))

    def _order_row(self, order: FundOrder) -> dict[str, Any]:
        return funds.order_row(order, self._venue.market.day)

    async def place_sip(self, request: web.Request, session: Session) -> Any:
        """POST /mf/sips; an initial amount is an order of its own, placed at once."""
        form = await read_form(request)
        fields, tag, book = Fields(form, "form"), _tag(form), self._venue.funds
        symbol = fields.text("tradingsymbol")
        wish = SipWish(
            amount=_amount(fields, "amount"),
            instalments=_whole(form, "instalments", 0),
            frequency=fields.text("frequency"),
            day=_whole(form, "instalment_day", 0),
        )
        if not form.get("initial_amount"):
            return {"sip_id": self._venue.saved(book.register(session.user_id, symbol, wish, tag)).sip_id}
        first = _amount(fields, "initial_amount")
        order, sip = self._venue.saved(book.start(session.user_id, symbol, wish, tag, first))
        return {"order_id": order.order_id, "sip_id": sip.sip_id}

    async def modify_sip(self, request: web.Request, session: Session) -> Any:
        """PUT /mf/sips/{sip_id}: what is not given stays."""
        form = await read_form(request)
        sip = self._sip(request, session)
        frequency = form.get("frequency") or sip.frequency
        wish = SipWish(
            amount=_amount(Fields(form, "form"), "amount") if form.get("amount") else sip.amount,
            instalments=_whole(form, "instalments", sip.instalments),
            frequency=frequency,
            day=_whole(form, "instalment_day", sip.day if frequency == sip.frequency else 0),
        )
        status = form.get("status", "").upper() or sip.status
        changed = self._venue.funds.modify_sip(session.user_id, sip.sip_id, wish, status)
        return {"sip_id": self._venue.saved(changed).sip_id}

    async def cancel_sip(self, request: web.Request, session: Session) -> Any:
        """DELETE /mf/sips/{sip_id}."""
        sip = self._venue.funds.cancel_sip(session.user_id, request.match_info["sip_id"])
        return {"sip_id": self._venue.saved(sip).sip_id}

    async def sips(self, request: web.Request, session: Session) -> Any:
        """GET /mf/sips."""
        return [funds.sip_row(sip) for sip in self._venue.funds.listed_sips(session.user_id)]

    async def sip(self, request: web.Request, session: Session) -> Any:
        """GET /mf/sips/{sip_id}."""
        return funds.sip_row(self._sip(request, session)) | {"fund_source": "pool"}

    def _sip(self, request: web.Request, session: Session) -> Sip:
        return self._venue.funds.sip(session.user_id, request.match_info["sip_id"])

    async def holdings(self, request: web.Request, session: Session) -> Any:
        """GET /mf/holdings."""
        day = self._venue.market.day
        held = self._venue.funds.holdings(session.user_id)
        return [funds.holding_row(holding, session.user_id, day) for holding in held]

    async def instruments(self, request: web.Request, session: Session) -> web.Response:
        """GET /mf/instruments: CSV."""
        return web.Response(body=funds.instruments_csv(self._venue.market.day).encode(), content_type="text/csv")


def _tag(form: Mapping[str, str]) -> str:
    tag = form.get("tag", "")
    if len(tag) > MAX_TAG or not tag.isascii():
        raise Refusal(f"Invalid `tag`. It should not exceed {MAX_TAG} characters.")
    return tag


def _amount(fields: Fields, field: str) -> int:
    return to_scaled(fields.rupees(field))


def _units(fields: Fields) -> int:
    units = fields.number("quantity") * UNIT_SCALE
    if units != int(units):
        raise Refusal("Invalid `quantity`. It should be in multiples of 0.001.")
    return int(units)


def _whole(form: Mapping[str, str], field: str, default: int) -> int:
    number = Fields(dict(form), "form").number(field) if form.get(field) else default
    if number != int(number):
        raise Refusal(f"Invalid `{field}`.")
    return int(number)
