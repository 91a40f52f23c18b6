"""Reads what is posted to the control port. Each raises ValueError that says what was wrong."""

import json
from typing import Any

from aiohttp import web


async def read_json(request: web.Request) -> Any:
    """Give the body's JSON."""
    try:
        return await request.json()
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"the body must be JSON: {error}") from error


async def read_object(request: web.Request) -> dict[str, Any]:
    """Give the body's JSON object."""
    body = await read_json(request)
    if not isinstance(body, dict):
        raise ValueError("the body must be a JSON object")
    return body


def whole(value: object, name: str) -> int:
    """Give a whole number of a body."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{name} must be a whole number, was {value!r}")
    return value
