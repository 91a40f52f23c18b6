"""WebSocket addresses of the pages."""

from django.urls import URLPattern, path

from trading.web.live.consumer import LiveConsumer

websocket_urlpatterns: list[URLPattern] = [path("ws/live/", LiveConsumer.as_asgi())]
