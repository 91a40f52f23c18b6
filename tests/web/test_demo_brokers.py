"""The list of simulated broker users that are free for a sign-up."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from django.test import Client as Browser

from tests.factories import make_account
from tests.web.conftest import text_of
from trading.models import Client

pytestmark = pytest.mark.django_db
USERS = [
    {
        "user_id": code,
        "password": f"demo-{code}",
        "api_key": f"key-{code}",
        "api_secret": f"secret-{code}",
        "totp": "123456",
    }
    for code in ("AB1001", "XY2001")
]


class ControlPort(BaseHTTPRequestHandler):
    """Answers as the exchange's control port does to GET /users."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/users" else 404)
        self.end_headers()
        self.wfile.write(json.dumps({"users": USERS}).encode())

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def control_port(settings: object) -> Iterator[None]:
    server = HTTPServer(("127.0.0.1", 0), ControlPort)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    settings.ALGO_CONTROL_URL = f"http://127.0.0.1:{server.server_port}"  # type: ignore[attr-defined]
    yield
    server.shutdown()
    server.server_close()


def test_a_free_user_is_listed_with_what_its_owner_would_know(
    browser: Browser, alice: Client, control_port: None
) -> None:
    make_account(alice)

    page = text_of(browser.get("/demo/brokers/"))

    for word in ("XY2001", "demo-XY2001", "key-XY2001", "secret-XY2001"):
        assert word in page
    assert "AB1001" not in page
