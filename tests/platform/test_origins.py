"""Whose pages may open a WebSocket."""

from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from pytest_django.fixtures import Settings

from algosystem.origins import OwnOrigin, is_own_origin


@pytest.fixture(autouse=True)
def _hosts(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]", "trading.example.com"]
    settings.CSRF_TRUSTED_ORIGINS = ["https://front.example.com"]


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://127.0.0.1:8000", "127.0.0.1:8000"),
        ("http://localhost:8000", "127.0.0.1:8000"),
        ("http://[::1]:8000", "[::1]:8000"),
        ("https://trading.example.com", "trading.example.com"),
        ("https://trading.example.com", "trading.example.com:443"),
        ("https://front.example.com", "trading.example.com"),
    ],
)
def test_our_own_pages_may(origin: str, host: str) -> None:
    assert is_own_origin(origin, host)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        (None, "127.0.0.1:8000"),
        ("", "127.0.0.1:8000"),
        ("null", "127.0.0.1:8000"),
        ("http://127.0.0.1:9000", "127.0.0.1:8000"),
        ("http://evil.example.com", "127.0.0.1:8000"),
        ("http://evil.example.com:8000", "evil.example.com:8000"),
        ("http://127.0.0.1.evil.example.com:8000", "127.0.0.1:8000"),
        ("http://127.0.0.1:80:00", "127.0.0.1:8000"),
        ("file://127.0.0.1:8000", "127.0.0.1:8000"),
        ("http://127.0.0.1:8000", ""),
    ],
)
def test_nobody_else_may(origin: str | None, host: str) -> None:
    assert not is_own_origin(origin, host)


async def reaches_application(headers: list[tuple[bytes, bytes]]) -> bool:
    reached = []

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        reached.append(scope["path"])

    scope = {"type": "websocket", "path": "/ws/live/", "headers": headers}
    communicator = ApplicationCommunicator(OwnOrigin(application), scope)
    await communicator.send_input({"type": "websocket.connect"})
    await communicator.wait()
    return bool(reached)


async def test_a_socket_without_an_origin_is_closed_before_the_consumer() -> None:
    assert not await reaches_application([(b"host", b"127.0.0.1:8000")])
    assert await reaches_application([(b"host", b"127.0.0.1:8000"), (b"origin", b"http://127.0.0.1:8000")])
