"""WebSockets from our own pages only.

A browser sends cookies along with any page's WebSocket, so the Origin header is what keeps foreign pages out.
"""

from typing import Any
from urllib.parse import SplitResult, urlsplit

from channels.security.websocket import WebsocketDenier
from django.conf import settings
from django.http.request import validate_host

DEFAULT_PORTS = {"http": 80, "https": 443}


class OwnOrigin:
    """Refuses a WebSocket whose Origin is missing, unreadable, not an allowed host, or another port of this host."""

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        if scope["type"] != "websocket":
            raise ValueError(f"OwnOrigin was given a {scope['type']} connection")
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if is_own_origin(headers.get(b"origin"), headers.get(b"host", "")):
            return await self.application(scope, receive, send)
        return await WebsocketDenier()(scope, receive, send)


def is_own_origin(origin: str | None, host: str) -> bool:
    """Say whether a page of `origin` may open a socket that was asked for at `host` (the Host header)."""
    if not origin:
        return False
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    page, here = _split(origin), _split(f"{urlsplit(origin).scheme}://{host}")
    if page is None or here is None or page.scheme not in DEFAULT_PORTS:
        return False
    allowed = all(validate_host(_name(part), settings.ALLOWED_HOSTS) for part in (page, here))
    return allowed and _port(page) == _port(here)


def _split(address: str) -> SplitResult | None:
    try:
        parts = urlsplit(address)
        return parts if parts.hostname and (parts.port is None or parts.port > 0) else None
    except ValueError:
        return None


def _name(parts: SplitResult) -> str:
    name = parts.hostname or ""
    return f"[{name}]" if ":" in name else name


def _port(parts: SplitResult) -> int:
    return parts.port or DEFAULT_PORTS[parts.scheme]
