"""Carries scripted faults out on HTTP: delays, dropped and reset connections, other answers.

`before_accept` strikes before anybody has seen the request, `after_accept` when it was carried out and the answer is
still to come, `reply` on the answer itself: it is late, cut in the middle, or another one.
"""

import asyncio
import gzip
import json
import logging
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from random import Random

from aiohttp import web
from aiohttp.typedefs import Middleware

from trading.exchange.faults import absurd, bodies
from trading.exchange.faults.engine import Faults
from trading.exchange.faults.places import DEEDS
from trading.exchange.faults.rules import Rule, Target

logger = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Identify = Callable[[web.Request], tuple[str, str]]
"""Gives (user id, api key) of a request, empty strings when unknown."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What faults on requests need to know of the exchange.

    `old_dump` gives yesterday's instrument file (of one exchange, or of all), `day` is the market's; `do` carries a
    deed out and gives what came of it.
    """

    identify: Identify
    old_dump: Callable[[str | None], bytes] = lambda exchange: b""
    day: Callable[[], date] = lambda: date(2000, 1, 1)
    do: Callable[[Rule, Target], str] = lambda rule, target: ""


class FaultInjector:
    """Makes the aiohttp middleware. Late acceptances run as tasks that it keeps hold of."""

    def __init__(self, faults: Faults, around: Surroundings) -> None:
        self._faults = faults
        self._around = around
        self._late: set[asyncio.Task[None]] = set()

    def middleware(self) -> Middleware:
        """Give the outermost middleware of a face."""

        @web.middleware
        async def inject(request: web.Request, handler: Handler) -> web.StreamResponse:
            if not self._faults.rules:
                return await handler(request)
            return await self._injected(request, handler)

        return inject

    async def _injected(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        user_id, api_key = self._around.identify(request)
        target = Target(request.method, request.path, user_id, api_key, request.remote or "")
        rule = await self._struck(target, "before_accept")
        if rule is not None:
            await self._accept_late(rule, request, handler)
            return await _instead(rule, request)
        response = await handler(request)
        rule = await self._struck(target, "after_accept")
        if rule is not None:
            return await _instead(rule, request)
        rule = await self._struck(target, "reply")
        return response if rule is None else await self._spoiled(rule, request, response)

    async def _struck(self, target: Target, phase: str) -> Rule | None:
        """Do what strikes without an answer of its own (a deed, a delay); give the rule that has one."""
        rule = self._faults.find(target, phase)
        if rule is None:
            return None
        if rule.action in DEEDS:
            self._faults.inject(rule, target, self._around.do(rule, target))
            return None
        self._faults.inject(rule, target)
        if rule.action == "delay":
            await asyncio.sleep(rule.seconds)
            return None
        return rule

    async def _spoiled(self, rule: Rule, request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
        """Answer with what the fault leaves of the true answer."""
        if rule.action in ("status", "body"):
            status = rule.status if rule.action == "status" else response.status
            text = rule.body if rule.action == "body" else error_text(rule, request.remote or "")
            return _written(rule, status, text)
        if rule.action in ("drop", "rst"):
            return await _cut(rule, request, response)
        return await self._altered(rule, request, response)

    async def _altered(self, rule: Rule, request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
        """Answer with other contents: fuzz, csv, price. What they do not fit goes out as it is."""
        whole = _whole(response)
        is_csv = response.content_type == "text/csv"
        if whole is None or is_csv is not (rule.action == "csv"):
            return response
        if rule.action == "csv":
            body = await asyncio.to_thread(self._other_csv, rule, request.match_info.get("exchange"), whole)
            return web.Response(body=body, content_type="text/csv", headers={"Content-Encoding": "gzip"})
        if rule.action == "price":
            text = bodies.priced(whole.decode(), rule.match.get("instrument", ""), lambda true: _bent(rule, true))
            return web.Response(status=response.status, body=text.encode(), content_type="application/json")
        rng = Random(f"{rule.rule_id}:{rule.injected}")  # noqa: S311 - a repeatable test
        text, kind = bodies.fuzzed(whole.decode(), rule.kind, rng)
        return web.Response(status=response.status, body=text.encode(), content_type=kind)

    def _other_csv(self, rule: Rule, exchange: str | None, true: bytes) -> bytes:
        if rule.kind == "yesterday":
            return gzip.compress(self._around.old_dump(exchange), 5)
        instrument = rule.match.get("instrument", "")
        return gzip.compress(bodies.altered_csv(true.decode(), rule.kind, instrument, self._around.day()).encode(), 5)

    async def _accept_late(self, rule: Rule, request: web.Request, handler: Handler) -> None:
        """Carry the request out later although it is answered (or not) now."""
        if rule.accept_after_s is None:
            return
        await request.read()
        task = asyncio.create_task(_carry_out(rule.accept_after_s, request, handler))
        self._late.add(task)
        task.add_done_callback(self._late.discard)


async def _carry_out(seconds: float, request: web.Request, handler: Handler) -> None:
    await asyncio.sleep(seconds)
    response = await handler(request)
    logger.info("late acceptance of %s %s gave %s", request.method, request.path, response.status)


async def _instead(rule: Rule, request: web.Request) -> web.StreamResponse:
    """Answer with the fault and nothing of the true answer."""
    if rule.action == "status":
        return _written(rule, rule.status, error_text(rule, request.remote or ""))
    if rule.action == "body":
        return _written(rule, 200, rule.body)
    await request.read()  # a reset while the client still writes looks like an end to it
    if rule.action == "drop":
        await asyncio.sleep(rule.seconds)
    _break(request, reset=rule.action == "rst")
    return web.Response()


async def _cut(rule: Rule, request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    """Answer with the first half."""
    text = response.body if isinstance(response, web.Response) and isinstance(response.body, bytes) else b""
    half = web.StreamResponse(status=response.status, headers={"Content-Type": "application/json"})
    half.content_length = len(text)
    await half.prepare(request)
    await half.write(text[: len(text) // 2])
    _break(request, reset=rule.action == "rst")
    return half


def _whole(response: web.StreamResponse) -> bytes | None:
    """Give the body of a true answer, unpacked, None when there is none at hand."""
    body = response.body if isinstance(response, web.Response) else None
    if not isinstance(body, bytes):
        return None
    return gzip.decompress(body) if response.headers.get("Content-Encoding") == "gzip" else body


def _bent(rule: Rule, true: float) -> float:
    """Give the price that a rule tells instead of the true one."""
    if rule.kind == "list":
        return absurd.PRICES[(rule.injected - 1) % len(absurd.PRICES)].of(true)
    return rule.value if rule.kind == "value" else round(true * rule.factor, 4)


def _written(rule: Rule, status: int, text: str) -> web.Response:
    # the header as it was given: gateways send `text/html; charset=utf-8`, which aiohttp wants in two parts
    return web.Response(status=status, body=text.encode(), headers={"Content-Type": rule.content_type})


def error_text(rule: Rule, peer: str) -> str:
    """Give an error's body, in Kite's shape unless the rule has its own; `{ip}` is the caller's address."""
    if rule.body:
        return rule.body
    message = rule.message.replace("{ip}", peer)
    return json.dumps({"status": "error", "message": message, "error_type": rule.error_type, "data": None})


def _break(request: web.Request, *, reset: bool) -> None:
    """Close the connection without an answer; with `reset` the peer sees a TCP reset, else an end."""
    transport = request.transport
    if transport is None:
        return
    if reset:
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
        return
    transport.close()
