"""A database belongs to one venue."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from redis import Redis

from trading.domain.errors import ConfigurationError
from trading.models import User, Venue
from trading.services.venue import claim_redis, claim_venue, empty_demo_database, own_venue, recorded_venue


@pytest.mark.django_db
def test_a_new_database_is_claimed_once_and_may_be_claimed_again_by_the_same() -> None:
    claim_venue("exchange-3f2a")
    claim_venue("exchange-3f2a")

    assert recorded_venue() == "exchange-3f2a"
    assert Venue.objects.count() == 1


@pytest.mark.django_db
def test_another_exchange_is_refused_with_the_remedy_fresh() -> None:
    claim_venue("exchange-3f2a")

    with pytest.raises(ConfigurationError, match="exchange-3f2a and cannot serve exchange-0000: start with --fresh"):
        claim_venue("exchange-0000")


@pytest.mark.django_db
@pytest.mark.parametrize(("first", "second"), [("live", "exchange-3f2a"), ("exchange-3f2a", "live")])
def test_live_and_demo_never_mix_and_fresh_is_no_remedy(first: str, second: str) -> None:
    claim_venue(first)

    with pytest.raises(ConfigurationError) as refused:
        claim_venue(second)

    assert "--fresh" not in str(refused.value)


@pytest.mark.django_db
def test_fresh_never_empties_a_live_database() -> None:
    claim_venue("live")
    User.objects.create_user("alice@example.com", "pw")

    with pytest.raises(ConfigurationError, match="live"):
        empty_demo_database(own_venues={"exchange-3f2a", "live"})

    assert User.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.usefixtures("state_dir")  # another one than the database lies in
def test_fresh_leaves_an_outside_database_of_another_demo_alone() -> None:
    claim_venue("exchange-other")

    with pytest.raises(ConfigurationError, match="exchange-other"):
        empty_demo_database(own_venues={"exchange-3f2a"})

    assert recorded_venue() == "exchange-other"


@pytest.mark.django_db
def test_fresh_leaves_a_database_that_nobody_claimed() -> None:
    User.objects.create_user("alice@example.com", "pw")

    empty_demo_database(own_venues={"exchange-3f2a"})

    assert User.objects.count() == 1


ROOT = Path(__file__).resolve().parents[2]
EMPTIES_ITS_OWN = """
import django; django.setup()
from django.core.management import call_command
from trading.models import User
from trading.services import venue
call_command("migrate", verbosity=0)
venue.claim_venue("exchange-1"); User.objects.create_user("alice@example.com", "pw")
venue.empty_demo_database(own_venues={"exchange-1"})
call_command("migrate", verbosity=0)
venue.claim_venue("exchange-2")
print(User.objects.count(), venue.recorded_venue())
"""


@pytest.mark.processes
def test_fresh_empties_our_own_demo_so_that_the_next_one_can_have_it(tmp_path: Path) -> None:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "algosystem.settings", "ALGO_STATE_DIR": str(tmp_path)}

    done = subprocess.run(
        [sys.executable, "-c", EMPTIES_ITS_OWN], cwd=ROOT, env=environment, capture_output=True, text=True
    )

    assert done.stdout == "0 exchange-2\n", done.stderr


def test_another_demos_hot_state_is_emptied(redis: "Redis[bytes]") -> None:
    claim_redis(redis, "exchange-1")
    redis.set("ltp", "old")

    claim_redis(redis, "exchange-2")

    assert redis.get("ltp") is None


def test_the_same_demo_keeps_its_hot_state_unless_fresh(redis: "Redis[bytes]") -> None:
    claim_redis(redis, "exchange-1")
    redis.set("ltp", "kept")

    claim_redis(redis, "exchange-1")
    assert redis.get("ltp") == b"kept"

    claim_redis(redis, "exchange-1", is_fresh=True)
    assert redis.get("ltp") is None


def test_a_live_redis_is_refused_and_never_emptied(redis: "Redis[bytes]") -> None:
    claim_redis(redis, "live")
    redis.set("ltp", "kept")

    with pytest.raises(ConfigurationError, match="belongs to the venue live"):
        claim_redis(redis, "exchange-1", is_fresh=True)

    assert redis.get("ltp") == b"kept"


def test_a_redis_that_lost_its_mark_is_marked_again_and_not_emptied(redis: "Redis[bytes]") -> None:
    redis.set("ltp", "kept")

    claim_redis(redis, "live")

    assert redis.get("ltp") == b"kept"
    assert redis.get("venue") == b"live"


@pytest.mark.django_db
def test_on_paper_the_venue_is_the_paper_exchange_and_it_must_be_one_at_live_prices(settings: Any) -> None:
    settings.IS_PAPER, settings.PAPER_CONTROL_URL = True, "http://127.0.0.1:1"
    with pytest.raises(ConfigurationError, match="does not answer"):
        own_venue()
    said: dict[str, Any] = {"exchange_id": "exchange-3f2a"}
    with answering(said) as url:
        settings.PAPER_CONTROL_URL = url
        with pytest.raises(ConfigurationError, match="makes its own prices: start it with --live"):
            own_venue()
        said["live"] = True
        assert own_venue() == "exchange-3f2a"
    claim_venue("live")
    with pytest.raises(ConfigurationError, match="belongs to the venue live and cannot serve exchange-3f2a"):
        claim_venue("exchange-3f2a")


@contextmanager
def answering(said: dict[str, Any]) -> Iterator[str]:
    """Serve this as every answer's JSON."""

    class Port(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(said).encode())

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Port) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
