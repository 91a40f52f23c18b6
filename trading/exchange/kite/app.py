"""The REST face: routes, logins, rate limits, and Kite's envelopes."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, runtime_checkable

import msgspec
from aiohttp import web

from trading.exchange.faults import Faults
from trading.exchange.faults.http import FaultInjector, Handler, Surroundings
from trading.exchange.faults.rules import Rule, Target
from trading.exchange.kite import limits
from trading.exchange.kite.alert_calls import AlertCalls
from trading.exchange.kite.calling import Call, read_form
from trading.exchange.kite.fund_calls import FundCalls
from trading.exchange.kite.gtt_calls import GttCalls
from trading.exchange.kite.handlers import Handlers, credentials, require_session
from trading.exchange.kite.limits import RateLimits
from trading.exchange.kite.login import LoginPage
from trading.exchange.kite.margin_calls import MarginCalls
from trading.exchange.kite.order_calls import OrderCalls
from trading.exchange.kite.portfolio_calls import PortfolioCalls
from trading.exchange.venue import Venue
from trading.exchange.venue.refusals import Refusal

logger = logging.getLogger(__name__)

KeyOf = Callable[[web.Request], Awaitable[str]]
"""Where a request without a login says which app it is of."""


def make_kite_app(
    venue: Venue, faults: Faults, *, monotonic: Callable[[], float], do: Callable[[Rule, Target], str]
) -> web.Application:
    """Build the application for one host and port (Kite's routes are absolute).

    `monotonic` is wire time; `do` carries out the deed of a fault that a request has struck.
    """

    def identify(request: web.Request) -> tuple[str, str]:
        api_key, access_token = credentials(request)
        session = venue.access.find(api_key, access_token)
        owner = venue.access.app_of(api_key)
        user_id = session.user_id if session is not None else owner.user_id if owner is not None else ""
        return user_id, api_key

    around = Surroundings(identify, lambda exchange: _old_dump(venue, exchange), lambda: venue.market.day, do)
    face = _Face(venue, RateLimits(monotonic, venue.day_counts))
    app = web.Application(middlewares=[FaultInjector(faults, around).middleware(), _envelopes])
    app.add_routes(LoginPage(venue).routes())
    app.add_routes(face.routes())
    return app


@runtime_checkable
class _Remembers(Protocol):
    """A market that still has the instrument file of the day before."""

    def old_dump_csv(self, exchange: str | None) -> bytes: ...


def _old_dump(venue: Venue, exchange: str | None) -> bytes:
    """Give yesterday's instrument file, today's where the market does not have it."""
    market = venue.market
    return market.old_dump_csv(exchange) if isinstance(market, _Remembers) else market.dump_csv(exchange)


class _Face:
    """Wraps each call: login, then rate limit, then the call, then the envelope."""

    def __init__(self, venue: Venue, rate_limits: RateLimits) -> None:
        self._venue = venue
        self._limits = rate_limits
        self._handlers = Handlers(venue)

    def routes(self) -> list[web.RouteDef]:
        calls, guarded = self._handlers, self._guarded
        other = limits.OTHER
        return [
            web.post("/session/token", self._open(_key_of_form, calls.generate_session)),
            web.delete("/session/token", self._open(_key_of_query, calls.logout)),
            web.post("/session/refresh_token", self._open(_key_of_form, calls.renew)),
            *OrderCalls(self._venue, self._limits).routes(guarded),
            *PortfolioCalls(self._venue).routes(guarded),
            *MarginCalls(self._venue).routes(guarded),
            web.get("/quote", guarded(limits.QUOTE, calls.quote)),
            web.get("/quote/ohlc", guarded(limits.QUOTE, calls.ohlc)),
            web.get("/quote/ltp", guarded(limits.QUOTE, calls.ltp)),
            web.get("/instruments", guarded(other, calls.instruments)),
            web.get("/instruments/historical/{token}/{interval}", guarded(limits.HISTORICAL, calls.candles)),
            web.get("/instruments/{exchange}", guarded(other, calls.instruments)),
            *GttCalls(self._venue).routes(guarded),
            *AlertCalls(self._venue).routes(guarded),
            *FundCalls(self._venue).routes(guarded),
        ]

    def _guarded(self, bucket: str, call: Call) -> Handler:
        async def order(request: web.Request) -> web.StreamResponse:
            session = require_session(request, self._venue)
            self._limits.check(bucket, session.api_key, self._venue.market.day)
            try:
                data = await call(request, session)
            finally:  # a refused order too: it counts to the day's limit, after a restart as well
                self._venue.writing.soon()
                await self._venue.writing.written()
            return _success(data)

        async def other(request: web.Request) -> web.StreamResponse:
            session = require_session(request, self._venue)
            self._limits.check(bucket, session.api_key, self._venue.market.day)
            self._venue.write()
            return _success(await call(request, session))

        return order if bucket == limits.ORDERS else other

    def _open(self, key_of: KeyOf, call: Callable[[web.Request], Awaitable[Any]]) -> Handler:
        """Wrap a call without a login: an app's own requests are limited, those of no app have nothing to try."""

        async def handle(request: web.Request) -> web.StreamResponse:
            app = self._venue.access.app_of(await key_of(request))
            if app is not None:
                self._limits.check(limits.OTHER, app.api_key, self._venue.market.day)
            return _success(await call(request))

        return handle


async def _key_of_form(request: web.Request) -> str:
    return (await read_form(request)).get("api_key", "")


async def _key_of_query(request: web.Request) -> str:
    return request.query.get("api_key", "")


def _success(data: Any) -> web.StreamResponse:
    if isinstance(data, web.StreamResponse):
        return data
    return _json({"status": "success", "data": data}, 200)


def _failure(message: str, error_type: str, status: int) -> web.Response:
    return _json({"status": "error", "message": message, "data": None, "error_type": error_type}, status)


def _json(body: dict[str, Any], status: int) -> web.Response:
    # bytes, so that the header is `application/json` to the letter, as the broker's is, without a character set
    return web.Response(body=msgspec.json.encode(body), status=status, content_type="application/json")


@web.middleware
async def _envelopes(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every failure into Kite's error envelope; nothing goes out as HTML by accident."""
    try:
        return await handler(request)
    except Refusal as refusal:
        return _failure(refusal.message, refusal.error_type, refusal.status)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        answer = _failure(error.reason, "GeneralException", error.status)
        if isinstance(error, web.HTTPMethodNotAllowed):
            answer.headers["Allow"] = error.headers["Allow"]
        return answer
    except Exception:
        logger.exception("the exchange failed at %s %s", request.method, request.path)
        return _failure("Something unexpected happened.", "GeneralException", 500)
