"""The whole way of a paper trade as real processes: a simulated broker, the ticker, the paper exchange, the engine."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kiteconnect import KiteConnect

from trading.domain.money import from_scaled
from trading.exchange.market.listing import PROFILES

ROOT = Path(__file__).resolve().parents[2]
DAY, SEED, START = "2026-11-23", 810, "09:20:00"
SYMBOLS = ("RELIANCE", "INFY", "HDFCBANK", "SBIN")
QUANTITY = 100
WITHIN_S = 300.0
ANSWERS_WITHIN_S = 60.0

SEED_DATABASE = """
import json, os
from datetime import date, datetime, timedelta
from decimal import Decimal
from django.utils import timezone
from trading.models import *
said = json.loads(os.environ["SEED_WORDS"])
until = datetime.fromisoformat("2026-11-24T06:00:00+05:30")
bob = User.objects.create_user("bob@example.com", "a password of bob", is_operator=True)
alice = User.objects.create_user("alice@example.com", "a password of alice")
client = Client.objects.create(user=alice, onboarded_at=timezone.now(), limits_confirmed_at=timezone.now())
def connect(owner, broker, user):
    return BrokerAccount.objects.create(
        owner=owner, broker=broker, broker_user_id=user["user_id"], key=f"{broker}:{user['user_id']}",
        api_key=user["api_key"], api_secret=user["api_secret"], access_token=user["access_token"],
        token_expires_at=until,
    )
feed = FeedAccount.objects.create(account=connect(bob, "kite", said["feeder"]))
FeedConsent.objects.create(feed=feed, given_by=bob, text="yes", given_at=timezone.now())
account = connect(alice, "paper", said["trader"])
for line in said["lines"]:
    row = InstrumentRow.objects.create(
        broker="kite", exchange="NSE", tradingsymbol=line["symbol"], token=line["token"], tick_size=line["tick"],
        lot_size=1, segment="NSE", has_derivatives=True, last_seen_on=date(2026, 11, 23),
    )
    DayRange.objects.create(
        instrument=row, day=date(2026, 11, 20), high=line["high"], low=line["low"], close=line["low"], source="test"
    )
    WatchItem.objects.create(
        client=client, account=account, instrument=row, quantity=line["quantity"], config={"trigger": "level"}
    )
"""
READ_FILLS = """
import json
from trading.models import Alarm, Fill
fills = [[f.instrument, f.side, f.quantity, str(f.price)] for f in Fill.objects.order_by("pk")]
print("ANSWER" + json.dumps({"fills": fills, "alarms": [a.text for a in Alarm.objects.all()]}))
"""


class Chain:
    """All processes by name. `start` and `kill` them; the exchanges' first lines are in `real` and `paper`."""

    def __init__(self, folder: Path, redis_url: str) -> None:
        self._folder = folder
        self._redis_url = redis_url
        self._running: dict[str, subprocess.Popen[str]] = {}
        self._commands: dict[str, list[str]] = {}
        self._starts: dict[str, int] = {}
        self.real = self._exchange(
            "real", "--day", DAY, "--seed", str(SEED), "--start-at", START, "--speed", "20", "--expect", "ticker,engine"
        )
        self.paper = self._exchange("paper", "--live", "--live-time", "feed", "--day", DAY)

    # -- processes -----------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Make the paper installation's database: a feed account at the broker, alice's ladder on paper."""
        users = {"feeder": self._user(self.real, "OP1000"), "trader": self._user(self.paper, "AB1001")}
        words = users | {"lines": self._lines()}
        self.manage("migrate", "--verbosity", "0")
        self.manage("shell", "-c", SEED_DATABASE, SEED_WORDS=json.dumps(words))

    def start(self, *names: str) -> None:
        """Start processes, those that were killed too."""
        own = {"ticker": ["run_ticker"], "engine": ["run_strategy"]}
        for name in names:
            command = self._commands.get(name) or [sys.executable, "manage.py", *own[name]]
            self._spawn(name, command)
            if name in ("real", "paper"):
                self._first_line(name)

    def kill(self, name: str) -> None:
        """End a process as a power cut does."""
        process = self._running.pop(name)
        process.kill()
        process.wait()

    def end(self) -> None:
        """Stop everything."""
        for process in self._running.values():
            process.send_signal(signal.SIGTERM)
        for process in self._running.values():
            try:
                process.wait(timeout=ANSWERS_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def manage(self, *words: str, **more: str) -> str:
        """Run a management command to its end and give what it printed."""
        command = [sys.executable, "manage.py", *words]
        environment = self._environment() | more
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=WITHIN_S, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    # -- what it did ---------------------------------------------------------------------------------

    def clock(self, name: str = "paper") -> dict[str, Any]:
        """Give the answer of an exchange's clock."""
        return _object(self._ask(name, "/clock"))

    def trades(self, user_id: str = "AB1001") -> list[dict[str, Any]]:
        """Give the trades of the paper ledger."""
        return list(self._ask("paper", "/ledger")[user_id]["trades"])

    def status_of(self, user_id: str, order_id: str) -> str:
        """Give an order's present word in the paper ledger."""
        orders = self._ask("paper", "/ledger")[user_id]["orders"]
        return next(str(order["status"]) for order in orders if order["order_id"] == order_id)

    def booked(self) -> dict[str, Any]:
        """Give the fills and alarms that the engine wrote down."""
        return _object(json.loads(self.manage("shell", "-c", READ_FILLS).rpartition("ANSWER")[2]))

    def hold_the_market(self) -> None:
        """Let the broker's market stand where it is: from now on no price moves."""
        body = json.dumps({"hold": True}).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.real['control']}/clock", body, headers)  # noqa: S310 (loopback)
        urllib.request.urlopen(request, timeout=ANSWERS_WITHIN_S).close()  # noqa: S310

    def kite(self, user_id: str) -> KiteConnect:
        """Give the SDK at the paper exchange."""
        user = self._user(self.paper, user_id)
        return KiteConnect(user["api_key"], user["access_token"], root=self.paper["rest"])

    def until(self, is_true: Callable[[], object], what: str) -> None:
        """Wait for something, and say with the logs' ends what never came."""
        deadline = time.monotonic() + WITHIN_S
        while not is_true():
            assert time.monotonic() < deadline, f"waited for {what}{self.tails()}"
            time.sleep(0.05)

    def tails(self) -> str:
        """Give the last lines of every log."""
        return "".join(
            f"\n== {log.stem}\n" + "\n".join(line for line in log.read_text().splitlines()[-12:] if line[:1] != "{")
            for log in sorted(self._folder.glob("*.log"))
        )

    def log(self, name: str) -> str:
        """Give a process's whole log."""
        return (self._folder / f"{name}.log").read_text()

    # ------------------------------------------------------------------------------------------------

    def _exchange(self, name: str, *options: str) -> dict[str, Any]:
        folder = self._folder / name
        command = [sys.executable, "manage.py", "run_exchange", "--json", "--state-dir", str(folder), *options]
        self._commands[name] = command
        self._spawn(name, command)
        return self._first_line(name)

    def _first_line(self, name: str) -> dict[str, Any]:
        lines = self._starts.setdefault(name, 0) + 1
        self._starts[name] = lines
        self.until(lambda: len(self._first_lines(name)) == lines, f"the first line of {name}")
        return dict(json.loads(self._first_lines(name)[-1]))

    def _first_lines(self, name: str) -> list[str]:
        return [line for line in self.log(name).splitlines() if line.startswith('{"rest"') and line.endswith("}")]

    def _spawn(self, name: str, command: list[str]) -> None:
        with (self._folder / f"{name}.log").open("a") as log:
            self._running[name] = subprocess.Popen(
                command, cwd=ROOT, env=self._environment(), stdout=log, stderr=subprocess.STDOUT, text=True
            )

    def _environment(self) -> dict[str, str]:
        own = {"ALGO_STATE_DIR": str(self._folder / "state"), "REDIS_URL": self._redis_url, "PYTHONUNBUFFERED": "1"}
        own["DJANGO_SETTINGS_MODULE"] = "algosystem.settings"
        if "paper" in self.__dict__:
            own |= {
                "ALGO_VENUE": "paper",
                "ALGO_CONTROL_URL": self.real["control"],
                "KITE_ROOT": self.real["rest"],
                "KITE_WS_ROOT": self.real["ws"],
                "KITE_LOGIN_ROOT": self.real["login"],
                "PAPER_ROOT": self.paper["rest"],
                "PAPER_WS_ROOT": self.paper["ws"],
                "PAPER_LOGIN_ROOT": self.paper["login"],
                "PAPER_CONTROL_URL": self.paper["control"],
            }
        return {**{name: value for name, value in os.environ.items() if name != "DATABASE_URL"}, **own}

    def _ask(self, name: str, path: str) -> Any:
        info = self.paper if name == "paper" else self.real
        with urllib.request.urlopen(f"{info['control']}{path}", timeout=ANSWERS_WITHIN_S) as reply:  # noqa: S310 (loopback)
            return json.load(reply)

    def _lines(self) -> list[dict[str, Any]]:
        """Give a ladder whose long entry is just below the present price of each stock."""
        user = self._user(self.real, "AB1001")
        kite = KiteConnect(user["api_key"], user["access_token"], root=self.real["rest"])
        prices = kite.ltp(*[f"NSE:{symbol}" for symbol in SYMBOLS])
        listed = {profile.listing.instrument.tradingsymbol: profile.listing.instrument for profile in PROFILES}
        lines = []
        for symbol in SYMBOLS:
            price, one = prices[f"NSE:{symbol}"]["last_price"], listed[symbol]
            low = round(price * (1 - 0.0005 - 0.81 * 0.03), 2)
            high = round(low + price * 0.03, 2)
            word = {"symbol": symbol, "token": one.token, "tick": str(one.tick_size), "quantity": QUANTITY}
            lines.append(word | {"low": str(low), "high": str(high)})
        return lines

    @staticmethod
    def _user(info: dict[str, Any], user_id: str) -> dict[str, Any]:
        return next(dict(user) for user in info["users"] if user["user_id"] == user_id)


def _object(said: Any) -> dict[str, Any]:
    return dict(said)


def rupees(scaled: int) -> str:
    """Show a scaled price as the ledger does."""
    return f"{from_scaled(scaled):.2f}"


@contextmanager
def running_chain(folder: Path, redis_url: str) -> Iterator[Chain]:
    """Give a chain whose processes run, and end them."""
    chain = Chain(folder, redis_url)
    try:
        chain.prepare()
        chain.start("ticker", "engine")
        yield chain
    finally:
        chain.end()
