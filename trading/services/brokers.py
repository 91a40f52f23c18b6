"""Connecting broker accounts: the keys, the broker's own sign-in page and back, and parting again."""

import logging
from collections import defaultdict
from datetime import date, datetime, time, timedelta

from django.db import IntegrityError, transaction

from trading.domain.errors import BrokerError, RiskDenied
from trading.domain.orders import IntentState, Product, Side
from trading.domain.timezone import at_ist, ist_day, to_ist
from trading.models import BrokerAccount, BrokerName, Client, Fill, OrderIntentRow, ReconcileState, Secret, User
from trading.ports import BrokerSession, Clock
from trading.services import morning
from trading.services.control import request_reload
from trading.services.events import actor, market_now, record
from trading.services.venues import broker_name_for
from trading.stores import alarms

logger = logging.getLogger(__name__)

TOKENS_END_AT = time(6, 0)
"""Kite flushes access tokens at 06:00 IST (kite.trade/docs/connect/v3/user)."""


def token_end(market_now: datetime) -> datetime:
    """Give the moment at which a session that begins now is flushed: the next 06:00 IST."""
    local = to_ist(market_now)
    end = at_ist(local.date(), TOKENS_END_AT)
    return end if local < end else end + timedelta(days=1)


def register(
    *, owner: User, broker_user_id: str, api_key: str, api_secret: str, day: date, label: str = ""
) -> BrokerAccount:
    """Store the keys of an account, encrypted; new keys for the same client code replace the old ones.

    On paper a client's account is one at the paper exchange.
    The account cannot trade before `accept_login`. Raises RiskDenied: ACCOUNT_TAKEN when another person
    has connected that client code, OPEN_POSITIONS when keys would change under an open position.
    """
    broker = broker_name_for(owner)
    taken = BrokerAccount.objects.filter(key=account_key(broker_user_id, broker)).exclude(owner=owner)
    if taken.exists():
        raise RiskDenied("ACCOUNT_TAKEN", f"{broker_user_id} is connected by somebody else on this installation")
    with transaction.atomic():
        account, _ = BrokerAccount.objects.get_or_create(owner=owner, broker=broker, broker_user_id=broker_user_id)
        if (account.api_key, account.api_secret) != (Secret(api_key), Secret(api_secret)):
            refuse_while_open(account, day)
            account.access_token, account.token_expires_at = "", None
        account.api_key, account.api_secret = api_key, api_secret
        account.label = label or account.label
        account.is_enabled = True
        account.save()
    return account


def account_key(broker_user_id: str, broker: str = BrokerName.KITE.value) -> str:
    """Give the name under which engine, orders and events know an account."""
    return f"{broker}:{broker_user_id}"


def accept_login(account: BrokerAccount, session: BrokerSession, request_token: str, *, market_now: datetime) -> None:
    """Exchange the request token and keep the session until 06:00 IST.

    Raises BrokerError when the broker refuses, RiskDenied (WRONG_ACCOUNT) when somebody else signed in
    there: that session is ended at the broker and its token is kept nowhere.
    """
    grant = session.exchange(request_token)
    if grant.user_id != account.broker_user_id:
        _end_quietly(session, grant.access_token)
        logger.warning("sign-in refused account=%s: the broker said user_id=%s", account.pk, grant.user_id)
        raise RiskDenied(
            "WRONG_ACCOUNT", f"the broker signed in {grant.user_id}, expected was {account.broker_user_id}"
        )
    account.key = account_key(account.broker_user_id, account.broker)
    account.access_token = grant.access_token
    account.token_expires_at = token_end(market_now)
    account.last_login_at = market_now
    try:
        with transaction.atomic():
            account.save()
    except IntegrityError as error:
        raise RiskDenied("ACCOUNT_TAKEN", f"{account.broker_user_id} is connected by somebody else") from error
    logger.info("signed in account=%s until=%s", account.key, account.token_expires_at)


def finish_login(account: BrokerAccount, session: BrokerSession, request_token: str, *, by: User, clock: Clock) -> None:
    """Accept a sign-in made in the browser, write it down, tell the engine. Raises what `accept_login` raises."""
    accept_login(account, session, request_token, market_now=market_now(clock))
    client = Client.objects.filter(user=account.owner).first()
    record(client.pk if client else None, "BROKER_CONNECTED", {"account": account.key, "by": actor(by)}, clock=clock)
    request_reload(client, by=by, clock=clock)
    morning.catch_up(account, market_now(clock))


def is_signed_in(account: BrokerAccount, *, market_now: datetime) -> bool:
    """True while the stored session should be good."""
    return bool(account.access_token) and account.token_expires_at is not None and market_now < account.token_expires_at


def _end_quietly(session: BrokerSession, access_token: str) -> None:
    """End a session we do not want; a broker that does not answer flushes it at 06:00 anyway."""
    try:
        session.revoke(access_token)
    except BrokerError:
        logger.warning("an unwanted session could not be ended at the broker")


def open_instruments(account: BrokerAccount, day: date) -> list[str]:
    """Name the instruments in which this account has an open position, or an order on its way, on a market day."""
    net: dict[str, int] = defaultdict(int)
    for fill in Fill.objects.filter(account=account, day=day):
        net[fill.instrument] += Side(fill.side).sign * fill.quantity
    state = ReconcileState.objects.filter(account=account, day=day).first()
    rows = state.picture["rows"] if state else []
    shown = {row["instrument"] for row in rows if row["product"] == Product.MIS and row["theirs"]}
    unsettled = OrderIntentRow.objects.filter(account=account, day=day, closed_at=None)
    waiting = {row.instrument for row in unsettled if not IntentState(row.state).is_final_without_order}
    return sorted({instrument for instrument, quantity in net.items() if quantity} | waiting | shown)


def disconnect(
    account: BrokerAccount, session: BrokerSession, *, by: User, clock: Clock, leaves_open: bool = False
) -> None:
    """Part from an account: end its session at the broker and forget token and keys.

    Raises RiskDenied (OPEN_POSITIONS) while anything is open: without the keys nobody could close it. With
    `leaves_open` a person said that it is to stay open all the same: then there is an alarm.
    """
    now = market_now(clock)
    left = open_instruments(account, ist_day(now))
    if left and not leaves_open:
        refuse_while_open(account, ist_day(now))
    if account.access_token:
        _end_quietly(session, account.access_token.reveal())
    account.access_token = account.api_key = account.api_secret = ""
    account.token_expires_at = None
    account.is_enabled = False
    account.save()
    client = Client.objects.filter(user=account.owner).first()
    client_id = client.pk if client else None
    told = {"account": account.key, "by": actor(by), "left_open": left}
    record(client_id, "BROKER_DISCONNECTED", told, clock=clock)
    if left:
        text = f"{account.key} was disconnected by {actor(by)} with {', '.join(left)} open: nothing here closes it"
        alarms.record(client_id, "LEFT_OPEN", text, at=now, wall=clock.wall())
    request_reload(client, by=by, clock=clock)
    logger.info("disconnected account=%s", account.key or account.pk)


def refuse_while_open(account: BrokerAccount, day: date) -> None:
    """Raise RiskDenied (OPEN_POSITIONS) while the account has something open or on its way."""
    instruments = open_instruments(account, day)
    if instruments:
        raise RiskDenied("OPEN_POSITIONS", f"still open: {', '.join(instruments)}. Square off first")
