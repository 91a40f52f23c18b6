"""Kite's REST calls at the simulated broker without sockets: login, rate limit, call, and the fault rules in between.

The rules are the exchange's own, asked at the same three moments as over HTTP (`exchange.faults.http`).
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from random import Random
from typing import Any, NamedTuple, Protocol

from trading.brokers.kite.errors import KiteAnswer
from trading.brokers.kite.wire import read_answer
from trading.exchange.faults import bodies
from trading.exchange.faults.http import error_text
from trading.exchange.faults.places import DEEDS
from trading.exchange.faults.rules import Rule, Target
from trading.exchange.kite import forms, limits
from trading.exchange.kite.shapes import orders as order_shapes
from trading.exchange.kite.shapes.portfolio import day_part, position_row
from trading.exchange.kite.shapes.quotes import ltp_row, quote_row
from trading.exchange.venue import refusals
from trading.exchange.venue.refusals import Refusal
from trading.simulation.house import BrokerHouse

TRAVELS_S = (0.02, 0.3)
"""Wire seconds of one way, the quickest and the slowest."""
LOST = "no answer (ServerDisconnectedError)"
ADDRESS = "127.0.0.1"


class Caller(NamedTuple):
    """Who calls: the account's user at the broker, its key and its token, and which engine process it is."""

    user_id: str
    api_key: str
    token: str
    process: str = ""


class Request(NamedTuple):
    """One call as it leaves: `form` has what the body or the query says."""

    caller: Caller
    method: str
    path: str
    form: Mapping[str, Any]


class Doorkeeper(Protocol):
    """Hears every request when it reaches the broker, before the broker does anything with it."""

    def arrives(self, request: Request) -> None: ...
    def answered(self, request: Request, began: float, data: Any) -> None:
        """A read gave this; it began at that wire moment."""

    def refused(self, request: Request, status: int | None, error_type: str) -> None:
        """A call came to nothing: by the broker's word, or without an answer (`status` None)."""


class Rest:
    """Carries requests out. Raises KiteAnswer for what is not answered with data."""

    def __init__(self, house: BrokerHouse, rng: Random, door: Doorkeeper) -> None:
        self._house = house
        self._rng = rng
        self._door = door

    async def call(self, request: Request) -> Any:
        """Send one request and give its data, as long as that takes."""
        began = self._house.clock.monotonic()
        try:
            data = await self._sent(request)
        except KiteAnswer as bad:
            self._door.refused(request, bad.status, bad.error_type)
            raise
        if request.method == "GET":
            self._door.answered(request, began, data)
        return data

    async def _sent(self, request: Request) -> Any:
        faults, caller = self._house.faults, request.caller
        await self._travel()
        target = Target(request.method, request.path, caller.user_id, caller.api_key, ADDRESS)
        rule = await self._struck(target, "before_accept") if faults.rules else None
        if rule is not None:
            self._accept_late(rule, request)
            return await self._instead(rule)
        data = self._answer(request)
        rule = await self._struck(target, "after_accept") if faults.rules else None
        if rule is not None:
            return await self._instead(rule)
        await self._travel()
        rule = await self._struck(target, "reply") if faults.rules else None
        return data if rule is None else await self._spoiled(rule, data)

    # -- the faults --------------------------------------------------------------------------------------------

    async def _struck(self, target: Target, phase: str) -> Rule | None:
        """Do what strikes without an answer of its own (a deed, a delay); give the rule that has one."""
        faults = self._house.faults
        rule = faults.find(target, phase)
        if rule is None:
            return None
        faults.inject(rule, target, self._house.deeds.do(rule, target) if rule.action in DEEDS else "")
        if rule.action == "delay":
            await asyncio.sleep(rule.seconds)
        return None if rule.action == "delay" or rule.action in DEEDS else rule

    async def _instead(self, rule: Rule) -> Any:
        """Answer with the fault and nothing of the true answer."""
        if rule.action in ("status", "body"):
            await self._travel()
            return _spoken(rule)
        if rule.action == "drop":
            await asyncio.sleep(rule.seconds)
        raise KiteAnswer(LOST)

    async def _spoiled(self, rule: Rule, data: Any) -> Any:
        """Answer with what the fault leaves of the true answer. Raises what the true one would have raised."""
        if rule.action == "fuzz":
            text = json.dumps({"status": "success", "data": data})
            body, kind = bodies.fuzzed(text, rule.kind, Random(f"{rule.rule_id}:{rule.injected}"))  # noqa: S311
            return read_answer(200, kind, body.encode())
        return await self._instead(rule)

    def _accept_late(self, rule: Rule, request: Request) -> None:
        if rule.accept_after_s is not None:
            asyncio.get_running_loop().call_later(rule.accept_after_s, self._carry_out, request)

    def _carry_out(self, request: Request) -> None:
        try:
            self._answer(request)
        except KiteAnswer:
            return  # nobody waits for the answer any more

    # -- the calls ---------------------------------------------------------------------------------------------

    def _answer(self, request: Request) -> Any:
        venue, caller = self._house.venue, request.caller
        try:
            bucket, call = self._route(request)
            if venue.access.find(caller.api_key, caller.token) is None:
                raise Refusal(refusals.BAD_TOKEN, error_type="TokenException", status=403)
            self._house.limits.check(bucket, caller.api_key, venue.market.day)
            self._door.arrives(request)
            return call(request)
        except Refusal as refusal:
            raise KiteAnswer(refusal.message, status=refusal.status, error_type=refusal.error_type) from None

    def _route(self, request: Request) -> tuple[str, Callable[[Request], Any]]:
        method, path = request.method, request.path
        if path.startswith("/orders/"):
            return limits.ORDERS, {"POST": self._place, "PUT": self._modify, "DELETE": self._cancel}[method]
        if path.startswith("/quote"):
            return limits.QUOTE, self._quotes
        reads = {"/orders": self._orders, "/trades": self._trades, "/portfolio/positions": self._positions}
        if path not in reads:
            raise ValueError(f"no simulated day answers {method} {path} yet")
        return limits.OTHER, reads[path]

    def _place(self, request: Request) -> dict[str, str]:
        venue, caller = self._house.venue, request.caller
        wish = forms.parse_placement(request.path.split("/")[2], request.form, venue.market)
        return {"order_id": venue.place(caller.user_id, caller.api_key, wish).order_id}

    def _modify(self, request: Request) -> dict[str, str]:
        venue = self._house.venue
        order = venue.order_of(request.caller.user_id, request.path.split("/")[3])
        venue.modify(order, forms.parse_modification(request.form, order))
        return {"order_id": order.order_id}

    def _cancel(self, request: Request) -> dict[str, str]:
        venue = self._house.venue
        order = venue.order_of(request.caller.user_id, request.path.split("/")[3])
        venue.cancel(order)
        return {"order_id": order.order_id}

    def _orders(self, request: Request) -> list[dict[str, Any]]:
        seen = self._house.venue.reads.orders(request.caller.user_id)
        return [order_shapes.order_row(order, state) for order, state in seen]

    def _trades(self, request: Request) -> list[dict[str, Any]]:
        seen = self._house.venue.reads.trades(request.caller.user_id)
        return [order_shapes.trade_row(trade, order) for trade, order in seen]

    def _positions(self, request: Request) -> dict[str, Any]:
        venue = self._house.venue
        net = venue.reads.positions(request.caller.user_id)
        day = [part for part in map(day_part, net) if part is not None]
        rows = [[position_row(one, venue.market.quote(one.instrument.token)) for one in part] for part in (net, day)]
        return {"net": rows[0], "day": rows[1]}

    def _quotes(self, request: Request) -> dict[str, Any]:
        market = self._house.venue.market
        found = ((key, market.by_key(key)) for key in request.form.get("i", ()))
        quotes = {key: (one, market.quote(one.token)) for key, one in found if one is not None}
        if request.path == "/quote/ltp":
            return {key: ltp_row(quote) for key, (_, quote) in quotes.items()}
        return {key: quote_row(quote, one) for key, (one, quote) in quotes.items()}

    async def _travel(self) -> None:
        await asyncio.sleep(self._rng.uniform(*TRAVELS_S))


def _spoken(rule: Rule) -> Any:
    """Give or raise what a rule's own answer means to whoever reads it."""
    status = rule.status if rule.action == "status" else 200
    text = rule.body if rule.action == "body" else error_text(rule, ADDRESS)
    return read_answer(status, rule.content_type, text.encode())
