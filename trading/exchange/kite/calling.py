"""What every module of calls needs: the shape of a call, of the guard around it, and the request's form."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from trading.exchange.faults.http import Handler
from trading.exchange.venue.access import Session

Call = Callable[[web.Request, Session], Awaitable[Any]]
"""Gives the `data` of the reply, or a whole response; raises Refusal."""

Guarded = Callable[[str, Call], Handler]
"""Puts login, rate limit (the bucket's name) and envelope around a call."""


async def read_form(request: web.Request) -> dict[str, str]:
    """Give the fields of a form-urlencoded body; a repeated field counts once, with its last value."""
    return {name: str(value) for name, value in (await request.post()).items()}
