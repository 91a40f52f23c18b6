"""What a client watches and what the ladder trades of it: add, change, remove. The engine is told each time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Max

from trading.domain.errors import RiskDenied, TradingError
from trading.domain.ladder_config import LARGEST_PRICE, LadderConfig, LadderConfigError, RangeSource
from trading.domain.money import grouped, to_decimal
from trading.domain.timezone import ist_day
from trading.models import (
    AccountStrategy,
    BrokerAccount,
    Client,
    InstrumentRow,
    QuantityMode,
    Strategy,
    StrategyKind,
    User,
    WatchItem,
)
from trading.ports import Clock
from trading.services import morning
from trading.services.background import ask_worker
from trading.services.brokers import open_instruments
from trading.services.control import request_reload
from trading.services.events import actor, market_now, record
from trading.services.limits import LARGEST_AMOUNT, MONEY_STEP
from trading.stores.locks import CONTROL, chain_lock, take
from trading.stores.ranges import line_config

MOST_ITEMS = 200
"""Lines a client; a feed subscription and a ladder hang on each."""
LARGEST_QUANTITY = 10_000_000
BY_HAND = {"manual_high": "high", "manual_low": "low"}
"""The settings of a range set by hand."""


class WatchlistRefused(TradingError):
    """A line that makes no sense. `problems` says for each field why, in one sentence."""

    code = "WATCHLIST_REFUSED"

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {text}" for name, text in problems.items()))
        self.problems = dict(problems)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a line shall be. `quantity` is units, `capital` rupees; the mode says which of them counts.

    `config` holds only what differs from the strategy's ladder configuration.
    """

    quantity_mode: QuantityMode = QuantityMode.FIXED
    quantity: int | None = None
    capital: Decimal | None = None
    trades_enabled: bool = True
    config: Mapping[str, Any] = field(default_factory=dict)


def add(client: Client, account: BrokerAccount, key: str, wish: Wish, *, by: User, clock: Clock) -> WatchItem:
    """Put an instrument (`NSE:INFY`) at the end of a client's list, and have its range fetched.

    Raises BrokerAccount.DoesNotExist for somebody else's account, WatchlistRefused with the reasons, and
    what `morning.instrument_rows` raises when the instruments of the day cannot be read.
    """
    _check_may_act(by, client)
    if account.owner_id != client.user_id:
        raise BrokerAccount.DoesNotExist(f"account {account.pk} is not this client's")
    row = morning.instrument_rows({key}).get(key)
    if row is None:
        raise WatchlistRefused({"instrument": f"{key} is not in today's list of instruments."})
    with transaction.atomic():
        take([CONTROL, chain_lock(client.pk)])
        mapping = ladder_mapping(account)
        problems = _problems(wish, row, mapping) | _place_problems(client, account, row)
        if problems:
            raise WatchlistRefused(problems)
        last = client.watch_items.aggregate(last=Max("position"))["last"]
        item = WatchItem(client=client, account=account, instrument=row, mapping=mapping)
        item.position = 0 if last is None else last + 1
        _save(item, wish)
        _tell(item, "added", _told(item), by=by, clock=clock)
        transaction.on_commit(lambda: ask_worker("fetch_range", row.pk), robust=True)
    return item


def update(client: Client, item_id: int, wish: Wish, *, by: User, clock: Clock) -> WatchItem:
    """Change a line. An open position keeps the ladder it was entered with.

    Raises WatchItem.DoesNotExist for somebody else's line, WatchlistRefused with the reasons.
    """
    _check_may_act(by, client)
    with transaction.atomic():
        take([CONTROL, chain_lock(client.pk)])
        item = own_item(client, item_id)
        problems = _problems(wish, item.instrument, item.mapping)
        if problems:
            raise WatchlistRefused(problems)
        before = _told(item)
        _save(item, wish)
        if before != _told(item):
            _tell(item, "changed", {"was": before, "now": _told(item)}, by=by, clock=clock)
    return item


def set_trading(client: Client, item_id: int, *, is_on: bool, by: User, clock: Clock) -> WatchItem:
    """Switch the ladder on or off for one line; a position that is open is still carried to its end.

    Raises WatchItem.DoesNotExist, and WatchlistRefused when a line without a size is switched on.
    """
    item = own_item(client, item_id)
    wish = Wish(QuantityMode(item.quantity_mode), item.quantity, item.capital, is_on, item.config)
    return update(client, item_id, wish, by=by, clock=clock)


def remove(client: Client, item_id: int, *, by: User, clock: Clock) -> str:
    """Take a line off the list and give its instrument.

    Raises WatchItem.DoesNotExist for somebody else's line, RiskDenied (OPEN_POSITION) while its
    account has something open or on its way in it.
    """
    _check_may_act(by, client)
    with transaction.atomic():
        take([CONTROL, chain_lock(client.pk)])
        item = own_item(client, item_id)
        key = item.instrument.key
        if key in open_instruments(item.account, ist_day(market_now(clock))):
            raise RiskDenied(
                "OPEN_POSITION", f"{key} has an open position or an order on its way. Close it first, then remove it"
            )
        told = _told(item)
        item.delete()
        _tell(item, "removed", told, by=by, clock=clock)
    return key


def own_item(client: Client, item_id: int) -> WatchItem:
    """Give one line of this client's. Raises WatchItem.DoesNotExist, for a stranger's too."""
    found = WatchItem.objects.select_related("instrument", "account", "mapping__strategy")
    return found.get(client=client, pk=item_id)


def trading_accounts(client: Client) -> list[BrokerAccount]:
    """Give the accounts that can have lines: connected, signed in at least once. The oldest first."""
    return list(BrokerAccount.objects.filter(owner=client.user, is_enabled=True).exclude(key="").order_by("pk"))


def ladder_mapping(account: BrokerAccount) -> AccountStrategy:
    """Give the account's ladder strategy, making the plain one when there is none."""
    known = AccountStrategy.objects.filter(account=account, strategy__kind=StrategyKind.LADDER)
    mapping = known.select_related("strategy").order_by("pk").first()
    if mapping is None:
        strategy, _ = Strategy.objects.get_or_create(owner=account.owner, name=StrategyKind.LADDER.label)
        mapping, _ = AccountStrategy.objects.get_or_create(account=account, strategy=strategy)
    return mapping


def base_config(mapping: AccountStrategy | None) -> LadderConfig:
    """Give the strategy's own ladder configuration: what a line's differences are laid over."""
    return LadderConfig.from_mapping({} if mapping is None else mapping.strategy.config)


def whole_config(item: WatchItem) -> LadderConfig:
    """Give the ladder configuration that counts for a line. Raises LadderConfigError if it was edited elsewhere."""
    return LadderConfig.from_mapping(line_config(item))


def _check_may_act(by: User, client: Client) -> None:
    if not by.is_operator and client.user_id != by.pk:
        raise PermissionDenied("this is somebody else's watchlist")


def _place_problems(client: Client, account: BrokerAccount, row: InstrumentRow) -> dict[str, str]:
    if WatchItem.objects.filter(account=account, instrument=row).exists():
        return {"instrument": f"{row.key} is on the list of this account already."}
    if client.watch_items.count() >= MOST_ITEMS:
        return {"instrument": f"The list is full: {MOST_ITEMS} lines. Remove one first."}
    return {}


def _problems(wish: Wish, row: InstrumentRow, mapping: AccountStrategy | None) -> dict[str, str]:
    """Check a wish against its instrument; money is in rupees, quantity in units."""
    problems = _size_problems(wish, row)
    if wish.trades_enabled and not row.to_domain().is_tradable:
        problems["trades_enabled"] = f"{row.tradingsymbol} is an index: it can be watched, not traded."
    config = {**({} if mapping is None else mapping.strategy.config), **wish.config}
    problems |= _hand_range_problems(config, row)
    try:
        LadderConfig.from_mapping({name: value for name, value in config.items() if name not in BY_HAND})
    except LadderConfigError as error:
        problems["config"] = "; ".join(error.problems)
    return problems


def _hand_range_problems(config: Mapping[str, Any], row: InstrumentRow) -> dict[str, str]:
    """Name what is wrong with a range set by hand; prices are rupees on the instrument's grid."""
    if config.get("range_source") != RangeSource.MANUAL:
        return {}
    problems = {name: found for name in BY_HAND if (found := _hand_price_problem(config.get(name), name, row))}
    if not problems and to_decimal(config["manual_high"]) <= to_decimal(config["manual_low"]):
        problems["manual_high"] = f"Must be above the low of {config['manual_low']}, was {config['manual_high']}."
    return problems


def _hand_price_problem(given: Any, name: str, row: InstrumentRow) -> str:
    try:
        price = to_decimal(given)
    except ValueError:
        return f"Say the {BY_HAND[name]} of the range set by hand, in rupees."
    if not 0 < price < LARGEST_PRICE:
        return f"Must be above zero and below {grouped(Decimal(LARGEST_PRICE))}, was {given}."
    if Fraction(price) % Fraction(row.tick_size):
        return f"Must be a multiple of the tick of {row.tick_size.normalize():f}, was {given}."
    return ""


def _size_problems(wish: Wish, row: InstrumentRow) -> dict[str, str]:
    """Name what is wrong with the size; a line that is only watched may have none."""
    problems = {}
    quantity, capital = wish.quantity, wish.capital
    if quantity is not None and not (0 < quantity <= LARGEST_QUANTITY and quantity % row.lot_size == 0):
        problems["quantity"] = f"Must be a positive multiple of the lot of {row.lot_size}, was {quantity}."
    if capital is not None and not (capital.is_finite() and 0 < capital <= LARGEST_AMOUNT):
        problems["capital"] = f"Must be above zero and at most {LARGEST_AMOUNT:,} rupees, was {capital}."
    elif capital is not None and capital % MONEY_STEP:
        problems["capital"] = f"Must be in whole paise, was {capital}."
    if wish.trades_enabled and wish.quantity_mode == QuantityMode.FIXED and quantity is None:
        problems["quantity"] = "Say how many units an entry buys or sells."
    if wish.trades_enabled and wish.quantity_mode == QuantityMode.CAPITAL and capital is None:
        problems["capital"] = "Say how many rupees an entry may use."
    return problems


def _save(item: WatchItem, wish: Wish) -> None:
    item.quantity_mode = wish.quantity_mode
    item.quantity, item.capital = wish.quantity, wish.capital
    item.trades_enabled = wish.trades_enabled
    item.config = dict(wish.config)
    item.save()


def _told(item: WatchItem) -> dict[str, Any]:
    """Give a line as the event log keeps it."""
    return {
        "quantity_mode": str(item.quantity_mode),
        "quantity": item.quantity,
        "capital": None if item.capital is None else f"{item.capital.normalize():f}",
        "trades_enabled": item.trades_enabled,
        "config": dict(item.config),
    }


def _tell(item: WatchItem, change: str, data: Mapping[str, Any], *, by: User, clock: Clock) -> None:
    told = {"change": change, "account": item.account.key, "instrument": item.instrument.key, **data}
    record(item.client_id, "WATCHLIST_CHANGED", {**told, "by": actor(by)}, clock=clock)
    request_reload(item.client, by=by, clock=clock)
