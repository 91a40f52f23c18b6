"""The status page: honest about every part that does not answer."""

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import redis as redis_client
from django.test import Client as Browser
from pytest_django.fixtures import Settings

from tests.web.conftest import text_of
from trading.marketdata import keys
from trading.marketdata.status import FeedState, FeedStatus, encode_status
from trading.models import Client, Lease, User
from trading.services import status
from trading.services.running_stack import ProcessView, StackFile, StackView

pytestmark = pytest.mark.django_db
SignedIn = Callable[..., Browser]
NOON_MS = 1795415400000
CLOCK = {
    "now": "2026-11-23T12:00:00+05:30",
    "epoch_ms": NOON_MS,
    "speed": 60,
    "pace": "hold",
    "phase": "open",
    "participants": [
        {"name": "ticker", "role": "ticker", "state": "in"},
        {"name": "engine", "role": "engine", "state": "out"},
    ],
}


@pytest.fixture
def exchange_clock(settings: Settings) -> Iterator[dict[str, Any]]:
    """Serve a control port whose answer a test may change."""
    said = dict(CLOCK)

    class Control(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(said).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Control)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    settings.ALGO_CONTROL_URL = f"http://127.0.0.1:{server.server_address[1]}"
    yield said
    server.shutdown()
    server.server_close()


def kinds() -> dict[str, str]:
    return {part.name: part.kind for part in status.gather().parts}


def put_feed(redis: "redis_client.Redis[bytes]", age_s: float) -> None:
    told = FeedStatus(FeedState.CONNECTED, "kite:OP1000", int(NOON_MS - age_s * 1000), 12, 1, "connected")
    redis.set(keys.FEED_STATUS, encode_status(told))
    redis.set(keys.HEARTBEAT, "{}")


def test_every_part_that_is_away_is_said_to_be_so(alice: Client, signed_in: SignedIn, settings: Settings) -> None:
    browser = signed_in(alice)
    settings.ALGO_CONTROL_URL = "http://127.0.0.1:9"

    page = text_of(browser.get("/status/"))

    assert "simulated exchange does not answer" in page
    assert "no prices and no live pages" in page
    assert "No supervisor runs" in page
    assert "Nobody holds the lease" in page
    assert "SQLite answers" in page or "PostgreSQL answers" in page


@pytest.mark.usefixtures("exchange_clock")
def test_who_left_the_round_is_named(alice: Client, signed_in: SignedIn) -> None:
    page = text_of(signed_in(alice).get("/status/"))

    assert "no longer waits for engine" in page
    assert "left the round" in page
    assert "simulated 60x" in page
    assert kinds()["Market clock"] == "warn"


@pytest.mark.usefixtures("exchange_clock")
@pytest.mark.parametrize(("age_s", "kind"), [(0.5, "ok"), (5.0, "warn"), (61.0, "bad")])
def test_the_feed_is_judged_by_the_age_of_its_last_price(
    redis: "redis_client.Redis[bytes]", age_s: float, kind: str
) -> None:
    put_feed(redis, age_s)

    assert kinds()["Price feed"] == kind
    assert kinds()["Redis"] == "ok"


@pytest.mark.usefixtures("exchange_clock")
def test_a_ticker_without_a_sign_of_life_is_a_fault_however_fresh_its_last_word(
    redis: "redis_client.Redis[bytes]",
) -> None:
    put_feed(redis, 0.5)
    redis.delete(keys.HEARTBEAT)

    assert kinds()["Price feed"] == "bad"


def left_out(
    redis: "redis_client.Redis[bytes]", reasons: dict[str, int], *, taken: int, day: str, sick: bool = False
) -> None:
    row = {"instrument": "NSE:INFY", "taken": taken, "waits": False, "count": sum(reasons.values()), "sick": sick}
    told = {"day": day, "since": "09:00:05", "taken": taken, "waiting": 0, "sick": int(sick), "reasons": reasons}
    redis.set(keys.FEED_HEALTH, json.dumps({**told, "worst": [{**row, "reasons": reasons}]}))


@pytest.mark.usefixtures("exchange_clock")
@pytest.mark.parametrize(
    ("reasons", "kind", "words"),
    [
        ({"DUPLICATE": 900}, "ok", "900 left out beside 1,000 taken since 09:00:05: 900 the same packet again"),
        ({"OLD": 40, "JUMP": 3}, "ok", "43 left out beside 1,000 taken since 09:00:05: 40 older than the one before"),
        ({"OLD": 60, "JUMP": 3}, "warn", "1 instrument with more than a healthy feed brings"),
    ],
)
def test_what_of_the_feed_was_left_out_is_told_and_a_sick_feed_is_marked(
    redis: "redis_client.Redis[bytes]", reasons: dict[str, int], kind: str, words: str
) -> None:
    left_out(redis, reasons, taken=1000, day="2026-11-23", sick=kind == "warn")

    (part,) = (part for part in status.gather().parts if part.name == "Price packets")
    assert part.kind == kind
    assert words in part.text


@pytest.mark.usefixtures("exchange_clock")
def test_the_instruments_with_the_worst_packets_are_named_to_operators_alone_and_only_todays(
    alice: Client, bob: User, signed_in: SignedIn, redis: "redis_client.Redis[bytes]"
) -> None:
    left_out(redis, {"OLD": 60}, taken=1000, day="2026-11-23")
    assert "NSE:INFY" in text_of(signed_in(bob).get("/status/"))
    assert "NSE:INFY" not in text_of(signed_in(alice).get("/status/"))

    left_out(redis, {"OLD": 60}, taken=1000, day="2026-11-20")
    assert "nothing was counted yet today" in text_of(signed_in(bob).get("/status/")).lower()


def test_an_old_price_is_no_fault_after_the_market_has_closed(
    exchange_clock: dict[str, Any], redis: "redis_client.Redis[bytes]"
) -> None:
    exchange_clock["phase"] = "closed"
    put_feed(redis, 900)

    assert kinds()["Price feed"] == "ok"


def test_processes_are_shown_with_their_restarts(bob: User, signed_in: SignedIn, state_dir: Path) -> None:
    stack = StackFile(state_dir)
    stack.lock()
    processes = (ProcessView("web", "running", 0, 11), ProcessView("engine", "backing_off", 3, None))
    stack.write(StackView(1, "http://127.0.0.1:1", "2026-11-23T09:00:00", "demo", processes))
    Lease.objects.create(shard="main", holder="engine-77@host", epoch=4)

    page = text_of(signed_in(bob).get("/status/"))

    assert "Not running: engine." in page
    assert "backing_off" in page
    assert "engine-77@host" in page


def test_who_died_and_runs_again_is_named(bob: User, signed_in: SignedIn, state_dir: Path) -> None:
    stack = StackFile(state_dir)
    stack.lock()
    processes = (ProcessView("web", "running", 0, 11), ProcessView("worker", "running", 2, 12))
    stack.write(StackView(1, "http://127.0.0.1:1", "2026-11-23T09:00:00", "demo", processes))

    assert "All 2 run. Died and started again: worker (2)." in text_of(signed_in(bob).get("/status/"))
    assert kinds()["Processes"] == "warn"


@pytest.mark.parametrize(("more", "words"), [({"held": True}, "held by hand"), ({"finished": True}, "day is over")])
def test_a_clock_that_stands_says_why(exchange_clock: dict[str, Any], more: dict[str, bool], words: str) -> None:
    exchange_clock.update(more, participants=[])

    (part,) = [part for part in status.gather().parts if part.name == "Market clock"]

    assert words in part.text
    assert part.kind == "ok"


def test_without_our_supervisor_a_production_server_is_not_called_ill(settings: Settings) -> None:
    settings.PRODUCTION = True

    assert kinds()["Processes"] == "ok"


def test_a_stranger_signs_in_first(browser: Browser) -> None:
    assert browser.get("/status/")["Location"].startswith("/accounts/login/")
