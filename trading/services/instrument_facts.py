"""The rows of instruments that somebody uses, kept in step with the broker's lists; what changed unseen waits for a
person (domain/instrument_facts.py)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from django.core.exceptions import PermissionDenied
from django.db import transaction

from trading.domain.errors import RiskDenied
from trading.domain.instrument_facts import change_words, changed_facts
from trading.domain.instruments import Instrument, InstrumentType
from trading.domain.orders import Product
from trading.domain.positions import fold_trades
from trading.domain.timezone import ist_day
from trading.models import BrokerName, Fill, InstrumentRow, QuantityMode, User, WatchItem
from trading.ports import Clock
from trading.services.control import request_reload
from trading.services.events import actor, market_now, record
from trading.stores.instruments import unfit
from trading.stores.locks import CONTROL, chain_lock, take

KITE = BrokerName.KITE.value
INDEX_TICK_SIZE = Decimal("0.05")
"""An index row of the dump has tick and lot size 0; these only fill the columns."""
READS: dict[str, Callable[[str], object]] = {
    "token": int,
    "tick_size": Decimal,
    "lot_size": int,
    "instrument_type": InstrumentType,
    "segment": str,
    "expiry": lambda text: None if text == "none" else date.fromisoformat(text),
    "strike": Decimal,
    "has_derivatives": lambda text: text == "True",
}
"""How each fact of domain/instrument_facts.py is read back."""


@dataclass(frozen=True, slots=True)
class HeldInstrument:
    """An instrument in which nothing is entered, and why. `may_take`: a person can take over what the list says."""

    row: InstrumentRow
    why: str
    may_take: bool


def update_rows(instruments: Iterable[Instrument], day: date) -> dict[str, InstrumentRow]:
    """Create or update the rows of these instruments by the list of `day`; gives them by key.

    The row of an instrument that a line is on keeps the facts that a person last saw; what the list says otherwise
    stands beside them. A later list that agrees again takes that away.
    """
    listed = [_storable(one) for one in instruments]
    used = set(WatchItem.objects.values_list("instrument", flat=True))
    rows = {}
    with transaction.atomic():
        known = {row.key: row for row in InstrumentRow.objects.filter(broker=KITE)}
        for one in listed:
            row = known.get(one.key) or InstrumentRow(broker=KITE, exchange=one.exchange)
            is_used = row.pk in used
            row.listed_otherwise = (
                {k: list(v) for k, v in changed_facts(row.to_domain(), one).items()} if is_used else {}
            )
            if not row.listed_otherwise:
                _take_facts(row, one)
            row.last_seen_on = day
            row.save()
            rows[one.key] = row
    return rows


def _storable(one: Instrument) -> Instrument:
    if one.instrument_type is not InstrumentType.INDEX:
        return one
    return replace(one, tick_size=INDEX_TICK_SIZE, lot_size=1)


def _take_facts(row: InstrumentRow, one: Instrument) -> None:
    row.tradingsymbol, row.token, row.name = one.tradingsymbol, one.token, one.name
    row.tick_size, row.lot_size, row.instrument_type = one.tick_size, one.lot_size, one.instrument_type
    row.segment, row.expiry, row.strike, row.has_derivatives = one.segment, one.expiry, one.strike, one.has_derivatives


def held_instruments(day: date) -> list[HeldInstrument]:
    """Give the instruments of the watchlists in which nothing is entered on a day."""
    rows = list(
        InstrumentRow.objects.filter(watch_items__isnull=False).distinct().order_by("exchange", "tradingsymbol")
    )
    why = unfit(rows, day)
    return [HeldInstrument(row, why[row.key], bool(row.changes)) for row in rows if row.key in why]


def take_facts(row_id: int, reason: str, *, seen: str, by: User, clock: Clock) -> InstrumentRow:
    """Take over what the last list says of an instrument; pressed twice it happens once.

    `seen` is the `change_words` that the person decided on. Raises PermissionDenied for whoever is no operator,
    InstrumentRow.DoesNotExist, and RiskDenied: LIST_CHANGED when the list says something else by now, POSITION_OPEN
    while something is open there, which is to be closed by the facts that it was opened with.
    """
    if not by.is_operator:
        raise PermissionDenied("instruments are the operator's to change")
    with transaction.atomic():
        take([CONTROL, chain_lock(None)])
        row = InstrumentRow.objects.get(pk=row_id)
        changes = row.changes
        if not changes:
            return row
        if change_words(changes) != seen:
            raise RiskDenied("LIST_CHANGED", "the broker's list says something else since this page was opened")
        if holders := _holders(row.key, ist_day(market_now(clock))):
            raise RiskDenied("POSITION_OPEN", f"{', '.join(holders)} still has it open; close that first")
        for field, (_, now) in changes.items():
            setattr(row, field, READS[field](now))
        row.listed_otherwise = {}
        row.save()
        told = {"instrument": row.key, "text": f"{row.key}: {seen}", "reason": reason, "by": actor(by)}
        record(None, "INSTRUMENT_FACTS_TAKEN", told, clock=clock)
        request_reload(None, by=by, clock=clock)
    return row


def lines_out_of_lot(row: InstrumentRow) -> int:
    """Count the lines whose fixed quantity is no multiple of an instrument's lot: the gate denies their entries."""
    lines = row.watch_items.filter(quantity_mode=QuantityMode.FIXED)
    return sum(bool(line.quantity and line.quantity % row.lot_size) for line in lines)


def _holders(key: str, day: date) -> list[str]:
    """Name the accounts that have something open intraday, by today's fills."""
    fills = Fill.objects.filter(instrument=key, day=day).select_related("account").order_by("filled_at", "id")
    accounts = sorted({fill.account.key for fill in fills})
    books = {name: fold_trades(fill.to_trade() for fill in fills if fill.account.key == name) for name in accounts}
    return [name for name, book in books.items() if book.net_quantity(key, Product.MIS)]
