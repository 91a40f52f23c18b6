"""What each REST call of Kite Connect answers. A handler gives the `data` of the reply or raises Refusal."""

import asyncio
import gzip
from collections.abc import Callable
from datetime import date
from typing import Any

from aiohttp import web

from trading.domain.instruments import Instrument
from trading.exchange.kite import history
from trading.exchange.kite.calling import as_token, read_form
from trading.exchange.kite.shapes import people, quotes
from trading.exchange.market.quotes import Quote
from trading.exchange.venue import Venue, refusals
from trading.exchange.venue.access import Session
from trading.exchange.venue.refusals import Refusal

MOST_QUOTES = 500
MOST_PRICES = 1000


class Handlers:
    """The calls over one venue. `session` is the caller's valid login."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._dumps: dict[tuple[date, str | None], bytes] = {}
        self._dump_lock = asyncio.Lock()

    # -- session --------------------------------------------------------------------------------------

    async def generate_session(self, request: web.Request) -> Any:
        """POST /session/token: the only call without a login."""
        form = await read_form(request)
        login = self._venue.exchange_token(
            form.get("api_key", ""), form.get("request_token", ""), form.get("checksum", "")
        )
        return people.session(self._venue.users[login.user_id], login)

    async def logout(self, request: web.Request) -> Any:
        """DELETE /session/token."""
        token = request.query.get("access_token", "")
        if not self._venue.logout(request.query.get("api_key", ""), token):
            raise Refusal(refusals.BAD_TOKEN, error_type="TokenException", status=403)
        return True

    async def renew(self, request: web.Request) -> Any:
        """POST /session/refresh_token: nobody here has a refresh token, as no individual has one at the broker."""
        raise Refusal(refusals.DEAD_REQUEST_TOKEN, error_type="TokenException", status=403)

    # -- market data ---------------------------------------------------------------------------------

    async def quote(self, request: web.Request, session: Session) -> Any:
        """GET /quote; unknown instruments are absent."""
        return self._rows(request, MOST_QUOTES, lambda found: quotes.quote_row(self._quote(found), found))

    async def ohlc(self, request: web.Request, session: Session) -> Any:
        """GET /quote/ohlc."""
        return self._rows(request, MOST_PRICES, lambda found: quotes.ohlc_row(self._quote(found)))

    async def ltp(self, request: web.Request, session: Session) -> Any:
        """GET /quote/ltp."""
        return self._rows(request, MOST_PRICES, lambda found: quotes.ltp_row(self._quote(found)))

    def _rows(self, request: web.Request, most: int, row: Callable[[Instrument], dict[str, Any]]) -> Any:
        keys = request.query.getall("i", [])
        if len(keys) > most:
            raise Refusal(f"Maximum {most} instruments are allowed in a request.")
        found = ((key, self._instrument(key)) for key in dict.fromkeys(keys))
        return {key: row(instrument) for key, instrument in found if instrument is not None}

    def _instrument(self, key: str) -> Instrument | None:
        """Find by `NSE:INFY` or, as Kite allows too, by the token."""
        market = self._venue.market
        return market.by_key(key) if ":" in key else market.instruments.get(as_token(key))

    def _quote(self, instrument: Instrument) -> Quote:
        return self._venue.shown([self._venue.market.quote(instrument.token)])[0]

    async def candles(self, request: web.Request, session: Session) -> Any:
        """GET /instruments/historical/{token}/{interval}."""
        asked = history.parse_request(request.match_info, request.query)
        market = self._venue.market
        if asked.token not in market.instruments:
            raise Refusal("invalid token")
        now_ms = self._venue.now_ms()
        # years of days take seconds to make: in a thread, so that market and orders go on meanwhile
        return {"candles": await asyncio.to_thread(history.candle_rows, market, asked, now_ms)}

    async def instruments(self, request: web.Request, session: Session) -> web.Response:
        """GET /instruments and /instruments/{exchange}: CSV, gzip, the same all day."""
        exchange = request.match_info.get("exchange")
        if exchange is not None and exchange not in people.EXCHANGES:
            raise Refusal("Invalid `exchange`.")
        body = await self._dump(exchange)
        return web.Response(body=body, content_type="text/csv", headers={"Content-Encoding": "gzip"})

    async def _dump(self, exchange: str | None) -> bytes:
        market = self._venue.market
        key = (market.day, exchange)
        async with self._dump_lock:
            if key not in self._dumps:
                self._dumps = {known: dump for known, dump in self._dumps.items() if known[0] == market.day}
                self._dumps[key] = await asyncio.to_thread(lambda: gzip.compress(market.dump_csv(exchange), 5))
            return self._dumps[key]


def require_session(request: web.Request, venue: Venue) -> Session:
    """Find the caller's login by `Authorization: token key:token`. Raises Refusal (TokenException, 403)."""
    session = venue.access.find(*credentials(request))
    if session is None:
        raise Refusal(refusals.BAD_TOKEN, error_type="TokenException", status=403)
    return session


def credentials(request: web.Request) -> tuple[str, str]:
    """Give (api key, access token) of the header, empty strings when there is none."""
    scheme, _, pair = request.headers.get("Authorization", "").partition(" ")
    if scheme != "token":
        return "", ""
    api_key, _, access_token = pair.strip().partition(":")
    return api_key, access_token
