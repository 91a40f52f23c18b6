"""The rules that an order itself must keep: tag and protection always; for an entry lot, tick, algo id and address.

An exit against a rule of the exchange is the exchange's to refuse: holding it here would not make it better.
"""

from trading.domain.instruments import Instrument
from trading.domain.orders import TAG_LENGTH, OrderIntent, OrderType
from trading.domain.risk import Denial
from trading.domain.slicing import most_units
from trading.engine.orders import Working
from trading.engine.sight import Finding, Sight


def check_order_rules(sight: Sight, working: Working) -> Finding:
    """Deny an order that the broker would refuse, or that would carry a wrong name."""
    intent, ref = working.intent, sight.desk.ref
    facts = {
        "tag": intent.tag,
        "order_type": intent.order_type.value,
        "protection_percent": str(intent.protection_percent),
        "algo_id": intent.algo_id,
        "egress_ip": ref.egress_ip,
    }
    denial = check_tag_and_protection(intent)
    if denial is None and not working.purpose.is_exit:
        caps, instrument = sight.caps(), sight.instrument(working)
        denial = (
            (_lot_and_tick(intent, instrument) if instrument else None)
            or _algo_id(intent, ref.algo_id, is_needed=caps is None or caps.needs_algo_id)
            or _egress(sight)
        )
    return Finding(denial, facts)


def check_tag_and_protection(intent: OrderIntent) -> Denial | None:
    """Deny an order that could not be found again by its tag, or a market order without market protection."""
    if len(intent.tag) > TAG_LENGTH or not (intent.tag.isascii() and intent.tag.isalnum()):
        return Denial("BAD_TAG", f"the tag was {intent.tag!r}")
    if intent.order_type is OrderType.MARKET and intent.protection_percent == 0:
        return Denial("NO_PROTECTION", "a market order needs market protection")
    return None


def _lot_and_tick(intent: OrderIntent, instrument: Instrument) -> Denial | None:
    if intent.quantity % instrument.lot_size:
        return Denial("LOT_SIZE", f"quantity must be a multiple of {instrument.lot_size}, was {intent.quantity}")
    most = most_units(instrument.key, instrument, intent.key.day)
    if most is not None and intent.quantity > most:
        return Denial("FREEZE_QUANTITY", f"one order may have {most} units, was {intent.quantity}")
    if intent.price is not None and intent.price % instrument.tick_size:
        return Denial("TICK_SIZE", f"price must be a multiple of {instrument.tick_size}, was {intent.price}")
    return None


def _algo_id(intent: OrderIntent, registered: str, *, is_needed: bool) -> Denial | None:
    """Every algorithmic order carries the exchange's id (NSE/INVG/67858); where an account has none of its own the
    broker is presumed to add its generic one (not confirmed), unless the house says that none may leave without.
    """
    if intent.algo_id != registered:
        return Denial("ALGO_ID", f"the order had the algo id {intent.algo_id!r}, the account's is {registered!r}")
    if is_needed and not registered:
        return Denial("ALGO_ID", "the account has no algo id, and the house sends no order without one")
    return None


def _egress(sight: Sight) -> Denial | None:
    """The registered address must be one of this machine's, or the broker refuses every order (static IP rule)."""
    if sight.desk.forbidden:
        return Denial("EGRESS_REFUSED", sight.desk.forbidden)
    problem = sight.tools.deps.egress_problem(sight.desk.ref)
    return Denial("EGRESS_ADDRESS", problem) if problem else None
