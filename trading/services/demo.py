"""The demo: three clients with different settings, an operator whose account feeds everybody, and their sign-ins.

Only a database that belongs to a simulated exchange is ever touched; live has none of this.
"""

import asyncio
import json
import re
import secrets
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db import transaction

from trading.domain.errors import BrokerAuthError, ConfigurationError
from trading.domain.timezone import ist_day
from trading.models import (
    AccountStrategy,
    BrokerAccount,
    Client,
    FeedAccount,
    FeedConsent,
    InstrumentRow,
    QuantityMode,
    Strategy,
    User,
    WatchItem,
)
from trading.services import brokers, morning, people, schedule, wiring
from trading.stores.thread import in_thread

SHEET = "demo.json"
CONSENT = (
    "I am the holder of this broker account and agree that the clients of this installation see its live prices. "
    "(Demo: the account and its prices are simulated.)"
)
LOGIN_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Line:
    """One instrument of a demo client: units, or rupees of capital."""

    symbol: str
    quantity: int | None = None
    capital: Decimal | None = None
    config: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Person:
    """One demo client. Limits are rupees."""

    email: str
    broker_user_id: str
    loss_limit: Decimal
    profit_limit: Decimal
    squares_off_on_kill: bool
    square_off_at: time
    lines: tuple[Line, ...]


PEOPLE = (
    Person(
        "asha@demo.local",
        "AB1001",
        Decimal(25_000),
        Decimal(60_000),
        squares_off_on_kill=True,
        square_off_at=time(15, 15),
        lines=(
            Line("RELIANCE", quantity=100),
            Line("INFY", quantity=100),
            Line("HDFCBANK", quantity=100),
            Line("ICICIBANK", quantity=100),
            Line("ABBOTINDIA", quantity=10),
        ),
    ),
    Person(
        "bharat@demo.local",
        "AB1002",
        Decimal(15_000),
        Decimal(40_000),
        squares_off_on_kill=True,
        square_off_at=time(15, 10),
        lines=(
            Line("RELIANCE", capital=Decimal(100_000)),
            Line("AXISBANK", capital=Decimal(100_000), config={"max_entries_per_side": 2}),
            Line("LT", capital=Decimal(150_000)),
            Line("KOTAKBANK", capital=Decimal(100_000)),
            Line("TATAMOTORS", capital=Decimal(100_000)),
        ),
    ),
    Person(
        "chitra@demo.local",
        "AB1003",
        Decimal(50_000),
        Decimal(100_000),
        squares_off_on_kill=True,
        square_off_at=time(15, 15),
        lines=(
            Line("INFY", quantity=200, config={"trigger": "level"}),
            Line("SBIN", quantity=200),
            Line("HDFCBANK", quantity=150, config={"sides": "both", "rearm": "any"}),
            Line("ICICIBANK", quantity=150),
            Line("AXISBANK", quantity=100),
            Line("BHARTIARTL", quantity=100),
        ),
    ),
)
OPERATOR = "operator@demo.local"
FEED_USER_ID = "OP1000"


def prepare_demo(state_dir: Path, exchange_info: Mapping[str, Any]) -> dict[str, Any]:
    """Seed the demo once, and sign everybody in at the exchange for its day. Safe to run at every start.

    Gives {"sign_in": [{"email", "password", "role"}]} for the person at the screen.
    Raises ConfigurationError when this database does not belong to that exchange.
    """
    apps = {user["user_id"]: user for user in exchange_info["users"]}
    password = _password(state_dir)
    with transaction.atomic():
        _seed_people(password, apps)
    for account in BrokerAccount.objects.filter(is_enabled=True).select_related("owner"):
        sign_in(account, exchange_info)
    _seed_watchlists()
    schedule.sync_schedule(wiring.clock().now())
    emails = [(OPERATOR, "operator"), *((person.email, "client") for person in PEOPLE)]
    return {"sign_in": [{"email": email, "password": password, "role": role} for email, role in emails]}


def sign_in(account: BrokerAccount, exchange_info: Mapping[str, Any]) -> None:
    """Walk through the simulated exchange's login page as its user would, unless the session still holds.

    A client who typed in keys of their own is signed in as well: at this exchange every password is known.
    """
    market_now = wiring.clock().now()
    if brokers.is_signed_in(account, market_now=market_now):
        return
    sheet = _user_sheet(exchange_info["control"])
    user = sheet.get(account.broker_user_id)
    if user is None:
        raise ConfigurationError(f"{account.broker_user_id} has no account at this exchange; start with --fresh")
    session = wiring.kite_session(account)
    request_token = _through_the_login_page(session.login_url("demo"), user)
    brokers.accept_login(account, session, request_token, market_now=market_now)


def _user_sheet(control_url: str) -> dict[str, dict[str, str]]:
    with urllib.request.urlopen(f"{control_url}/users", timeout=LOGIN_TIMEOUT_S) as reply:  # noqa: S310 (our own exchange)
        return {user["user_id"]: user for user in json.load(reply)["users"]}


def _through_the_login_page(url: str, user: Mapping[str, str]) -> str:
    """Fill in the login form and give the request token that the redirect carries."""
    form = {"user_id": user["user_id"], "password": user["password"], "totp": user["totp"]}
    request = urllib.request.Request(url, data=urllib.parse.urlencode(form).encode(), method="POST")  # noqa: S310
    opener = urllib.request.build_opener(_NoRedirect())
    with opener.open(request, timeout=LOGIN_TIMEOUT_S) as reply:
        target = reply.headers.get("Location", "")
    found = re.search(r"[?&]request_token=([^&]+)", target)
    if found is None:
        raise BrokerAuthError(f"the exchange's login page did not sign {user['user_id']} in")
    return found.group(1)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Gives the redirect itself: its address is the answer."""

    def http_error_302(self, req: Any, fp: Any, code: int, msg: str, headers: Any) -> Any:
        """Hand the reply through instead of following it."""
        return fp

    http_error_303 = http_error_302


def _password(state_dir: Path) -> str:
    path = state_dir / SHEET
    if path.exists():
        return str(json.loads(path.read_text())["password"])
    password = f"demo-{secrets.token_urlsafe(9)}"
    path.touch(mode=0o600)
    path.write_text(json.dumps({"password": password}))
    return password


def _seed_people(password: str, apps: Mapping[str, Mapping[str, str]]) -> None:
    operator = User.objects.filter(email=OPERATOR).first() or people.enrol(OPERATOR, password, is_operator=True)
    feed_account = _connect(operator, FEED_USER_ID, apps)
    feed, _ = FeedAccount.objects.get_or_create(account=feed_account)
    if not feed.consents.exists():
        FeedConsent.objects.create(feed=feed, given_by=operator, text=CONSENT, given_at=wiring.clock().wall())
    for person in PEOPLE:
        user = User.objects.filter(email=person.email).first()
        if user is None:
            user = people.enrol(person.email, password)
            _set_limits(user.client, person)
            _connect(user, person.broker_user_id, apps)


def _connect(owner: User, broker_user_id: str, apps: Mapping[str, Mapping[str, str]]) -> BrokerAccount:
    known = BrokerAccount.objects.filter(owner=owner, broker_user_id=broker_user_id).first()
    if known is not None:
        return known
    app = apps[broker_user_id]
    return brokers.register(
        owner=owner,
        broker_user_id=broker_user_id,
        api_key=app["api_key"],
        api_secret=app["api_secret"],
        label="Demo account",
        day=ist_day(wiring.clock().now()),
    )


def _set_limits(client: Client, person: Person) -> None:
    client.daily_loss_limit = person.loss_limit
    client.daily_profit_limit = person.profit_limit
    client.squares_off_on_kill = person.squares_off_on_kill
    client.square_off_at = person.square_off_at
    client.max_open_positions = 10
    client.max_trades_per_day = 200
    client.max_order_value = Decimal(1_000_000)
    client.limits_confirmed_at = client.onboarded_at = wiring.clock().wall()
    client.save()


def _seed_watchlists() -> None:
    """Give each new demo client its instruments; those the exchange does not list are left out."""
    new = [person for person in PEOPLE if not WatchItem.objects.filter(client__user__email=person.email).exists()]
    if not new:
        return
    wanted = {f"NSE:{line.symbol}" for person in new for line in person.lines}
    rows = morning.instrument_rows(asyncio.run(_traded(wanted)))
    for person in new:
        client = Client.objects.get(user__email=person.email)
        account = BrokerAccount.objects.get(owner=client.user, broker_user_id=person.broker_user_id)
        strategy, _ = Strategy.objects.get_or_create(owner=client.user, name="810/910 ladder")
        mapping, _ = AccountStrategy.objects.get_or_create(account=account, strategy=strategy)
        known = [(line, rows[key]) for line in person.lines if (key := f"NSE:{line.symbol}") in rows]
        for place, (line, row) in enumerate(known):
            _watch(client, account, mapping, line, row, place)


async def _traded(keys: set[str]) -> set[str]:
    """Give those that this exchange has prices for: its dump lists many more."""
    broker = wiring.prices_of(await in_thread(morning.feed_account))
    try:
        return set(await broker.last_prices(sorted(keys)))
    finally:
        await broker.close()


def _watch(
    client: Client, account: BrokerAccount, mapping: AccountStrategy, line: Line, row: InstrumentRow, place: int
) -> None:
    WatchItem.objects.create(
        client=client,
        account=account,
        instrument=row,
        mapping=mapping,
        quantity_mode=QuantityMode.FIXED if line.quantity else QuantityMode.CAPITAL,
        quantity=line.quantity,
        capital=line.capital,
        config=dict(line.config),
        position=place,
    )
