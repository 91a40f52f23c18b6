"""Who may drive the control port. It has no login, so no web page of elsewhere may reach it through somebody's browser.

A page could send there by itself (a form, `fetch`, a web socket), or give its own name the address 127.0.0.1 (DNS
rebinding). So the Host must be loopback with this port, an Origin must be this port's own pages, and a call that
changes something must be declared as JSON, which a browser sends across origins only after a preflight that is
never answered here.
"""

from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Middleware

JSON = "application/json"
CHANGING = ("POST", "PUT", "PATCH", "DELETE")
NAMES = ("127.0.0.1", "localhost")


def guard() -> Middleware:
    """Give the outermost middleware of the control port. Refused: 421 for the Host, 403 for the Origin, 415."""

    @web.middleware
    async def check(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        refusal = _refusal(request)
        if refusal is not None:
            status, sentence = refusal
            return web.json_response({"error": sentence}, status=status)
        return await handler(request)

    return check


def _refusal(request: web.Request) -> tuple[int, str] | None:
    """Give status and sentence of what was wrong, None when the call may pass."""
    hosts = _own_hosts(request)
    host = request.headers.get("Host", "").lower()
    if host not in hosts:
        return 421, f"the Host must be {' or '.join(hosts)}, was {host!r}"
    origin = request.headers.get("Origin")
    if origin is not None and origin.lower() not in [f"http://{one}" for one in hosts]:
        return 403, f"the control port takes no calls from pages of {origin!r}, only from its own"
    if request.method in CHANGING and request.content_type != JSON:
        return 415, f"the Content-Type of a {request.method} must be {JSON}, was {_declared(request)!r}"
    return None


def _own_hosts(request: web.Request) -> list[str]:
    transport = request.transport
    port = 0 if transport is None else int(transport.get_extra_info("sockname")[1])
    return [f"{name}:{port}" for name in NAMES]


def _declared(request: web.Request) -> str:
    return request.headers.get("Content-Type", "")
