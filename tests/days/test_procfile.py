"""The Procfile alone: production settings, a runner that only starts lines, and servers that stand outside.

A simulated exchange is the broker, as Kite would be: by its addresses and by nothing else.
"""

import json
import re
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis

from tests.days.procfile import ProcfileRunner, bare_environment
from tests.days.stack import ROOT
from tests.days.visitor import HOST, Visitor, sign_in_at_the_broker
from tests.fakes.mail_server import MailServer
from tests.postgres import PostgresServer
from tests.tcp_wire import Wire
from trading.stack.embedded_redis import configure
from trading.stack.ports import free_port

pytestmark = [pytest.mark.processes, pytest.mark.postgres, pytest.mark.timeout(1200)]

UP_WITHIN_S = 300.0
WAITS_S = 3.0
EMAIL, PASSWORD, CODE = "dora@example.com", "a-long-enough-passphrase-7", "XY2001"


@dataclass
class Hosting:
    """An installation as a self-hoster has it. `ended_while_waiting` are processes that gave up too early."""

    runner: ProcfileRunner
    visitor: Visitor
    mail: MailServer
    database_url: str
    redis_url: str
    wire: Wire
    ended_while_waiting: dict[str, int]

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Read the database."""
        with psycopg.connect(self.database_url) as connection:
            return connection.execute(query.encode()).fetchall()

    def until(self, holds: Callable[[], object], what: str, seconds: float = UP_WITHIN_S) -> None:
        """Wait for what must come true while every process runs."""
        deadline = time.monotonic() + seconds
        while not holds():
            tails = "".join(f"\n{name}: {self.runner.log(name)[-2000:]}" for name in self.runner.ended())
            assert not tails, f"ended while waiting for {what}{tails}"
            assert time.monotonic() < deadline, f"waited {seconds:g} s for {what}"
            time.sleep(0.1)


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """A broker: `run_exchange` alone."""
    folder = tmp_path_factory.mktemp("exchange")
    command = [sys.executable, "manage.py", "run_exchange", "--json", "--state-dir", str(folder)]
    command += ["--redirect-url", f"https://{HOST}/broker/kite/callback/"]
    with running(command) as server:
        assert server.stdout is not None
        yield json.loads(server.stdout.readline())


@pytest.fixture(scope="module")
def hosting(
    exchange: dict[str, Any], postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Hosting]:
    """Everything started in the worst order: web, which migrates, last, and Redis after those that need it."""
    folder, port = tmp_path_factory.mktemp("procfile"), free_port()
    redis_port = free_port()
    server, wire = configure(folder / "redis", port=redis_port), Wire(redis_port)
    database_url = postgres_server.make_database("hosted")
    with MailServer() as mail, ExitStack() as ending:
        settings = production_settings(folder, exchange) | {
            "DATABASE_URL": database_url,
            "REDIS_URL": server.url.replace(f":{redis_port}/", f":{wire.port}/"),
            "PORT": str(port),
            "MAIL_PORT": str(mail.port),
        }
        ending.callback(wire.close)
        runner = ProcfileRunner(settings, folder)
        ending.callback(runner.end)
        for name in reversed(runner.names[1:]):
            runner.start(name)
        time.sleep(WAITS_S)
        ending.enter_context(running(server.program.command))
        time.sleep(WAITS_S)
        waiting = runner.ended()
        runner.start("web")
        yield Hosting(runner, Visitor(port, is_proxied=True), mail, database_url, server.url, wire, waiting)


@contextmanager
def running(command: Sequence[str]) -> Iterator["subprocess.Popen[str]"]:
    """Run a server outside of the installation."""
    server = subprocess.Popen(command, cwd=ROOT, env=bare_environment(), stdout=subprocess.PIPE, text=True)
    try:
        yield server
    finally:
        server.terminate()
        server.wait(timeout=UP_WITHIN_S)


def production_settings(folder: Path, exchange: dict[str, Any]) -> dict[str, str]:
    """Give what docs/configuration.md asks for; the secrets as `make_keys` prints them."""
    command = [sys.executable, "manage.py", "make_keys"]
    keys = subprocess.run(command, cwd=ROOT, env=bare_environment(), capture_output=True, text=True, check=True).stdout
    secrets: dict[str, str] = dict(line.split("=", 1) for line in keys.splitlines())
    return secrets | {
        "ALGO_ENV": "production",
        "ALGO_STATE_DIR": str(folder / "state"),
        "ALLOWED_HOSTS": HOST,
        "BEHIND_PROXY": "1",
        "MAIL_HOST": "127.0.0.1",
        "MAIL_TLS": "0",
        "KITE_ROOT": exchange["rest"],
        "KITE_WS_ROOT": exchange["ws"],
        "KITE_LOGIN_ROOT": exchange["login"],
    }


def test_every_process_waits_for_redis_and_tables_and_then_runs(hosting: Hosting) -> None:
    runner = hosting.runner

    assert hosting.ended_while_waiting == {}
    hosting.until(lambda: " ready." in runner.log("worker"), "the worker")
    hosting.until(lambda: "beat: Starting" in runner.log("beat"), "Beat")
    hosting.until(lambda: "waiting for the feed account's login" in runner.log("ticker"), "the ticker")
    hosting.until(lambda: "Uvicorn running" in runner.log("web"), "web")
    hosting.until(lambda: hosting.ask("select 1 from trading_lease where holder like 'engine-%'"), "the lease")
    hosting.until(lambda: hosting.ask("select 1 from django_celery_beat_periodictask"), "Beat's rows")
    assert hosting.ask("select name from trading_venue") == [("live",)]
    assert hosting.visitor.get("/").status_code == 200
    assert hosting.visitor.get("/static/theme/app.js").status_code == 200


def test_its_settings_pass_every_check(hosting: Hosting) -> None:
    assert "no issues" in hosting.runner.run("python manage.py check --deploy --fail-level WARNING")
    findings = json.loads(hosting.runner.run("python manage.py stack check --json"))
    assert findings["ok"], findings


def test_a_client_comes_in_and_gets_instruments_and_prices(hosting: Hosting, exchange: dict[str, Any]) -> None:
    visitor, user = hosting.visitor, broker_user(exchange)

    sign_up(hosting)
    sent_on = visitor.submit(
        "/settings/brokers/connect/", broker_user_id=CODE, api_key=user["api_key"], api_secret=user["api_secret"]
    )
    back = urllib.parse.urlsplit(sign_in_at_the_broker(sent_on.headers["Location"], user))
    assert "is connected until" in visitor.get(f"{back.path}?{back.query}").text
    assert "feeds the prices" in hosting.runner.run(f"python manage.py feed_account {CODE}")
    search = "/watchlist/search/?q=reliance"
    hosting.until(lambda: "NSE%3ARELIANCE" in visitor.get(search).text, "the instruments, by the worker")
    assert visitor.submit(
        "/watchlist/add/?key=NSE:RELIANCE",
        key="NSE:RELIANCE",
        quantity_mode="fixed",
        quantity="10",
        trades_enabled="on",
    ).is_redirect
    with redis.Redis.from_url(hosting.redis_url) as client:
        hosting.until(lambda: client.hlen("ltp"), "a price, by the ticker")

    status = " ".join(re.sub(r"<[^>]+>", " ", visitor.get("/status/").text).split())
    assert "PostgreSQL answers in" in status
    assert "lease main by engine-" in status.lower(), status
    assert hosting.ask("select count(*) from trading_orderintentrow") == [(0,)], "nobody has started to trade"
    assert set(visitor.cookies) >= {"__Host-sessionid", "__Host-csrftoken"}


def broker_user(exchange: dict[str, Any]) -> dict[str, str]:
    """Give what the holder of the broker account knows: its password, one-time code and app keys."""
    with urllib.request.urlopen(exchange["control"] + "/users", timeout=UP_WITHIN_S) as reply:  # noqa: S310 (on loopback)
        users: list[dict[str, str]] = json.load(reply)["users"]
    return next(user for user in users if user["user_id"] == CODE)


def sign_up(hosting: Hosting) -> None:
    """Sign up with the code that the worker mails."""
    assert hosting.visitor.submit("/accounts/signup/", email=EMAIL, password1=PASSWORD).is_redirect
    hosting.until(lambda: hosting.mail.texts_to(EMAIL), "the mailed code")
    code = re.search(r"\b\d{4}-\d{4}\b", hosting.mail.texts_to(EMAIL)[0])
    assert code is not None
    assert hosting.visitor.submit("/accounts/confirm-email/", code=code.group()).is_redirect


def test_an_operator_is_made_on_the_command_line_and_confirms_by_mail(hosting: Hosting) -> None:
    operator = Visitor(int(hosting.runner.environment["PORT"]), is_proxied=True)
    hosting.runner.run(
        "python manage.py createsuperuser --noinput --email operator@example.com", DJANGO_SUPERUSER_PASSWORD=PASSWORD
    )

    asked = operator.submit("/accounts/login/", login="operator@example.com", password=PASSWORD)
    assert asked.headers["Location"] == "/accounts/confirm-email/"
    hosting.until(lambda: hosting.mail.texts_to("operator@example.com"), "the mailed code")
    code = re.search(r"\b\d{4}-\d{4}\b", hosting.mail.texts_to("operator@example.com")[0])
    assert code is not None
    operator.submit("/accounts/confirm-email/", code=code.group())

    assert EMAIL in operator.get("/operator/").text


@pytest.mark.proves("F55", database="postgresql")
def test_a_line_to_redis_that_died_unsaid_is_left_for_a_new_one(hosting: Hosting) -> None:
    sent, was = len(hosting.mail.texts_to(EMAIL)), beats_of(hosting)

    hosting.wire.forget()
    asked = Visitor(int(hosting.runner.environment["PORT"]), is_proxied=True)
    assert asked.submit("/accounts/password/reset/", email=EMAIL).is_redirect

    hosting.until(lambda: len(hosting.mail.texts_to(EMAIL)) > sent, "a mail by web, Redis and worker")
    hosting.until(lambda: beats_of(hosting)["ticker"] > was["ticker"] + 1, "the ticker to go on")
    hosting.until(lambda: beats_of(hosting)["beat"] > was["beat"] + 1, "Beat to go on")
    assert hosting.visitor.get("/").status_code == 200


def beats_of(hosting: Hosting) -> dict[str, int]:
    """Give how often each part gave its sign of life."""
    return dict(hosting.ask("select part, counter from trading_heartbeat"))


def test_all_stop_when_they_are_told_and_the_lease_is_given_back(hosting: Hosting) -> None:
    assert hosting.runner.ended() == {}

    assert hosting.runner.stop() == set(hosting.runner.names), "not all of them stopped"

    assert hosting.ask("select holder from trading_lease") == [("",)]
    for name in hosting.runner.names:
        assert "Traceback" not in hosting.runner.log(name), name
