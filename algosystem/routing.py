"""WebSocket addresses."""

from trading.web.routing import websocket_urlpatterns

__all__ = ["websocket_urlpatterns"]
