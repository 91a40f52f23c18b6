"""The REST calls about people and what they hold. A call gives the `data` of the reply or raises Refusal."""

import secrets
from typing import Any

from aiohttp import web

from trading.domain.instruments import Instrument
from trading.domain.orders import Side
from trading.exchange.kite import limits
from trading.exchange.kite.calling import Guarded, read_form
from trading.exchange.kite.shapes import holdings, margins, people, portfolio
from trading.exchange.market.quotes import Quote
from trading.exchange.venue import Venue
from trading.exchange.venue.access import Session
from trading.exchange.venue.accounts import Account, Holding
from trading.exchange.venue.auction_list import offered
from trading.exchange.venue.conversions import ConversionRequest
from trading.exchange.venue.refusals import Refusal

POSITION_TYPES = ("day", "overnight")
REQUEST_ID_BYTES = 16


class PortfolioCalls:
    """Profile, margins, positions and holdings over one venue. `session` is the caller's valid login."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    def routes(self, guarded: Guarded) -> list[web.RouteDef]:
        """List the routes with their rate-limit buckets."""
        other = limits.OTHER
        return [
            web.get("/user/profile", guarded(other, self.profile)),
            web.get("/user/profile/full", guarded(other, self.full_profile)),
            web.get("/user/margins", guarded(other, self.margins)),
            web.get("/user/margins/{segment}", guarded(other, self.margins)),
            web.get("/portfolio/positions", guarded(other, self.positions)),
            web.put("/portfolio/positions", guarded(other, self.convert)),
            web.get("/portfolio/holdings", guarded(other, self.holdings)),
            web.get("/portfolio/holdings/summary", guarded(other, self.holdings_summary)),
            web.get("/portfolio/holdings/compact", guarded(other, self.compact_holdings)),
            web.post("/portfolio/holdings/authorise", guarded(other, self.authorise)),
            web.get("/portfolio/holdings/auctions", guarded(other, self.auctions)),
        ]

    # -- people --------------------------------------------------------------------------------------

    async def profile(self, request: web.Request, session: Session) -> Any:
        """GET /user/profile."""
        return people.profile(self._venue.users[session.user_id])

    async def full_profile(self, request: web.Request, session: Session) -> Any:
        """GET /user/profile/full."""
        return people.full_profile(self._venue.users[session.user_id])

    async def margins(self, request: web.Request, session: Session) -> Any:
        """GET /user/margins and /user/margins/{segment}."""
        segment = request.match_info.get("segment")
        both = {"equity": margins.equity_margins(self._account(session)), "commodity": margins.commodity_margins()}
        if segment is None:
            return both
        if segment not in both:
            raise Refusal("Invalid `segment`.")
        return both[segment]

    # -- positions -----------------------------------------------------------------------------------

    async def positions(self, request: web.Request, session: Session) -> Any:
        """GET /portfolio/positions."""
        net = self._venue.reads.positions(session.user_id)
        day = [part for part in map(portfolio.day_part, net) if part is not None]
        return {
            "net": [portfolio.position_row(one, self._quote(one.instrument)) for one in net],
            "day": [portfolio.position_row(one, self._quote(one.instrument)) for one in day],
        }

    async def convert(self, request: web.Request, session: Session) -> Any:
        """PUT /portfolio/positions: give an open position another product."""
        wish = self._conversion(await read_form(request))
        self._venue.convert(session.user_id, wish)
        return True

    def _conversion(self, form: dict[str, str]) -> ConversionRequest:
        fields = ("exchange", "tradingsymbol", "transaction_type", "position_type", "quantity", "old_product",
                  "new_product")  # fmt: skip
        missing = next((field for field in fields if not form.get(field)), None)
        if missing is not None:
            raise Refusal(f"Missing or empty field `{missing}`")
        instrument = self._venue.market.by_key(f"{form['exchange']}:{form['tradingsymbol']}")
        if instrument is None:
            raise Refusal("Invalid `tradingsymbol`.")
        if form["transaction_type"] not in list(Side):
            raise Refusal("Invalid `transaction_type`.")
        if form["position_type"] not in POSITION_TYPES:
            raise Refusal("Invalid `position_type`.")
        return ConversionRequest(
            instrument=instrument,
            side=Side(form["transaction_type"]),
            is_overnight=form["position_type"] == "overnight",
            quantity=_units(form["quantity"]),
            old_product=form["old_product"],
            new_product=form["new_product"],
        )

    # -- holdings ------------------------------------------------------------------------------------

    async def holdings(self, request: web.Request, session: Session) -> Any:
        """GET /portfolio/holdings."""
        return [holdings.holding_row(*one) for one in self._held(session)]

    async def holdings_summary(self, request: web.Request, session: Session) -> Any:
        """GET /portfolio/holdings/summary."""
        return holdings.summary(self._held(session))

    async def compact_holdings(self, request: web.Request, session: Session) -> Any:
        """GET /portfolio/holdings/compact."""
        return [holdings.compact_row(holding, sold) for holding, _, sold in self._held(session)]

    async def authorise(self, request: web.Request, session: Session) -> Any:
        """POST /portfolio/holdings/authorise: the id with which a client goes on to the depository's page."""
        form = await request.post()
        known = {holdings.isin(holding.instrument): holding for holding, _, _ in self._held(session)}
        isins, quantities = form.getall("isin", []), form.getall("quantity", [])
        if len(isins) != len(quantities):
            raise Refusal("Invalid `isin`. There should be a quantity for each.")
        for isin, quantity in zip(isins, quantities, strict=True):
            holding = known.get(str(isin))
            if holding is None:
                raise Refusal("Invalid `isin`.")
            if not 0 < _units(str(quantity)) <= holding.total:
                raise Refusal("Invalid `quantity`.")
        return {"request_id": secrets.token_hex(REQUEST_ID_BYTES)}

    async def auctions(self, request: web.Request, session: Session) -> Any:
        """GET /portfolio/holdings/auctions: the holdings that today's auction session asks for."""
        account = self._account(session)
        return [
            holdings.auction_row(
                one, self._quote(one.instrument), account.sold_from_holding(one.instrument.token), number
            )
            for one, number in offered(account, self._venue.market.day)
        ]

    def _held(self, session: Session) -> list[tuple[Holding, Quote, int]]:
        """List holdings with their quotes and the units sold from them today."""
        account = self._account(session)
        return [
            (one, self._quote(one.instrument), account.sold_from_holding(token))
            for token, one in account.holdings.items()
        ]

    def _account(self, session: Session) -> Account:
        return self._venue.books.accounts[session.user_id]

    def _quote(self, instrument: Instrument) -> Quote:
        return self._venue.market.quote(instrument.token)


def _units(text: str) -> int:
    """Read whole units; 0 for anything else, which no call takes."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else 0
