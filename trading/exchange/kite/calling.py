"""What every module of calls needs: the shape of a call, of the guard around it, and the request's form."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from trading.exchange.faults.http import Handler
from trading.exchange.venue import refusals
from trading.exchange.venue.access import Session
from trading.exchange.venue.refusals import Refusal

MOST_DIGITS = 10

Call = Callable[[web.Request, Session], Awaitable[Any]]
"""Gives the `data` of the reply, or a whole response; raises Refusal."""

Guarded = Callable[[str, Call], Handler]
"""Puts login, rate limit (the bucket's name) and envelope around a call."""


async def read_form(request: web.Request) -> dict[str, str]:
    """Give the fields of a form-urlencoded body; a repeated field counts once, with its last value.

    Raises Refusal for bytes that are no text of the named character set.
    """
    try:
        return {name: str(value) for name, value in (await request.post()).items()}
    except (ValueError, LookupError):  # no UTF-8, no such character set, no multipart boundary
        raise Refusal(refusals.UNREADABLE_BODY) from None


def as_token(text: str) -> int:
    """Give a number of at most ten plain digits, 0 (no instrument has it) for any other text."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS else 0
