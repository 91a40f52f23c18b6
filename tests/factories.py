"""The fixed cast and what they own, as plain functions on the database.

alice is a client, bob operates the house, charlie is another client: every view, task and socket is asked
"what does charlie get?".
"""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from trading.domain.orders import OrderIntent, OrderType, Purpose, PurposeKey, Side
from trading.models import BrokerAccount, Client, DayRange, InstrumentRow, User, WatchItem

PASSWORD = "correct horse battery staple"
DAY = date(2026, 11, 23)
PREVIOUS_DAY = date(2026, 11, 20)
TEN_O_CLOCK = datetime(2026, 11, 23, 4, 30, tzinfo=UTC)
ONBOARDED_AT = datetime(2026, 11, 1, tzinfo=UTC)

CODES = {"alice": "AB1001", "charlie": "AB1003"}
TOKENS = {"INFY": 408065, "RELIANCE": 738561, "ABBOTINDIA": 4583169, "NIFTY 50": 256265}


def make_user(name: str = "alice", **columns: Any) -> User:
    """Make a person who signs in as `<name>@example.com` with PASSWORD."""
    return User.objects.create_user(f"{name}@example.com", PASSWORD, **columns)


def make_operator(name: str = "bob") -> User:
    """Make bob, who operates the house and has no client row."""
    return make_user(name, is_operator=True, is_staff=True)


def make_client(name: str = "alice", **columns: Any) -> Client:
    """Make a client who has finished onboarding on paper."""
    return Client.objects.create(user=make_user(name), **{"onboarded_at": ONBOARDED_AT, **columns})


def make_account(client: Client, code: str = "", **columns: Any) -> BrokerAccount:
    """Make a client's Kite account with all its secrets; the code follows the client's name."""
    code = code or CODES[client.user.email.partition("@")[0]]
    known = {"broker": "kite", "broker_user_id": code, "key": f"kite:{code}", "label": "Zerodha"}
    secrets = {"api_key": f"key{code}", "api_secret": f"secret{code}", "access_token": f"token{code}"}
    return BrokerAccount.objects.create(owner=client.user, **{**known, **secrets, **columns})


def make_instrument(symbol: str = "INFY", **columns: Any) -> InstrumentRow:
    """Find or make an NSE stock with a tick of five paise and lots of one."""
    known = {"token": TOKENS.get(symbol, 1), "tick_size": Decimal("0.05"), "lot_size": 1, "segment": "NSE"}
    row, _ = InstrumentRow.objects.get_or_create(
        broker="kite", exchange="NSE", tradingsymbol=symbol, defaults={**known, **columns}
    )
    return row


def make_watch_item(account: BrokerAccount, symbol: str = "INFY", **columns: Any) -> WatchItem:
    """Let the ladder trade ten units of a stock on this account."""
    known = {"quantity": 10, "instrument": make_instrument(symbol)}
    return WatchItem.objects.create(client=account.owner.client, account=account, **{**known, **columns})


def make_range(symbol: str = "INFY", high: str = "1500", low: str = "1450", day: date = PREVIOUS_DAY) -> DayRange:
    """Note what a stock did on a session, by default the one before DAY."""
    high_, low_ = Decimal(high), Decimal(low)
    instrument = make_instrument(symbol)
    return DayRange.objects.create(instrument=instrument, day=day, high=high_, low=low_, close=low_, source="test")


def entry_intent(account: str = "kite:AB1001", symbol: str = "INFY", **parts: Any) -> OrderIntent:
    """Give the intent to buy ten."""
    return _intent(account, symbol, Purpose.ENTRY, Side.BUY, **parts)


def exit_intent(
    account: str = "kite:AB1001", symbol: str = "INFY", purpose: Purpose = Purpose.STOP, **parts: Any
) -> OrderIntent:
    """Give the intent to sell ten again."""
    return _intent(account, symbol, purpose, Side.SELL, **parts)


def _intent(
    account: str,
    symbol: str,
    purpose: Purpose,
    side: Side,
    *,
    quantity: int = 10,
    price: Decimal | None = None,
    **key_parts: Any,
) -> OrderIntent:
    parts = {"day": DAY, "position": 1, **key_parts}
    key = PurposeKey(account=account, instrument=f"NSE:{symbol}", purpose=purpose, **parts)
    order_type = OrderType.MARKET if price is None else OrderType.LIMIT
    return OrderIntent(key=key, side=side, quantity=quantity, price=price, order_type=order_type)
