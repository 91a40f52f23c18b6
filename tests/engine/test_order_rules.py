"""The rules of an order itself: what the broker would refuse, or what would carry a wrong name, does not leave."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.engine.stage import DAY
from trading.domain.caps import HouseCaps
from trading.domain.instruments import Instrument, InstrumentType
from trading.domain.orders import OrderIntent, OrderType, Purpose, PurposeKey, Side
from trading.domain.timezone import at_ist, time_of
from trading.engine.order_rules import check_order_rules, check_tag_and_protection
from trading.engine.orders import Working
from trading.engine.sight import Sight
from trading.ports import AccountRef

LATER = DAY + timedelta(days=8)
NIFTY = Instrument(
    "NFO", "NIFTY26DECFUT", 111, Decimal("0.05"), 75, InstrumentType.FUT, "NFO-FUT", name="NIFTY", expiry=LATER
)
MOST = 1800
"""The index's freeze quantity in whole lots of 75."""
ENTRY = OrderIntent(PurposeKey(DAY, "kite:AB1001", NIFTY.key, 1, Purpose.ENTRY), Side.BUY, 75)


def sight(*, algo_id: str = "", caps: HouseCaps | None = None, forbidden: str = "", problem: str = "") -> Sight:
    """Give what the rules look at."""
    ref = AccountRef(1, "kite:AB1001", 1, "kite", algo_id=algo_id)
    deps = SimpleNamespace(egress_problem=lambda ref: problem)
    made = SimpleNamespace(
        desk=SimpleNamespace(ref=ref, forbidden=forbidden),
        tools=SimpleNamespace(deps=deps),
        caps=lambda: caps,
        instrument=lambda working: NIFTY,
    )
    return cast(Sight, made)


def code_of(intent: OrderIntent, **seen: Any) -> str | None:
    working = Working(intent, at_ist(DAY, time_of(36_000)))
    denial = check_order_rules(sight(**{"caps": HouseCaps(), **seen}), working).denial
    return denial.code if denial else None


@pytest.mark.proves("I13")
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, None),
        ({"quantity": MOST}, None),
        ({"quantity": 76}, "LOT_SIZE"),
        ({"quantity": MOST + 75}, "FREEZE_QUANTITY"),
        ({"order_type": OrderType.LIMIT, "price": Decimal("25000.05")}, None),
        ({"order_type": OrderType.LIMIT, "price": Decimal("25000.02")}, "TICK_SIZE"),
        ({"protection_percent": Decimal(0)}, "NO_PROTECTION"),
        ({"algo_id": "ALGO9"}, "ALGO_ID"),
    ],
)
def test_an_entry_keeps_lot_freeze_tick_protection_and_name(changes: dict[str, Any], code: str | None) -> None:
    assert code_of(replace(ENTRY, **changes)) == code


@pytest.mark.parametrize(
    ("seen", "code"),
    [
        ({"algo_id": "ALGO9"}, "ALGO_ID"),
        ({"caps": replace(HouseCaps(), needs_algo_id=True)}, "ALGO_ID"),
        ({"caps": None}, "ALGO_ID"),
        ({"forbidden": "the broker takes none from here"}, "EGRESS_REFUSED"),
        ({"problem": "no address of this machine"}, "EGRESS_ADDRESS"),
    ],
)
def test_an_entry_leaves_by_its_accounts_name_and_address(seen: dict[str, Any], code: str) -> None:
    assert code_of(ENTRY, **seen) == code


def test_an_exit_is_held_by_tag_and_protection_alone() -> None:
    exit_ = replace(ENTRY, key=replace(ENTRY.key, purpose=Purpose.STOP), quantity=76, algo_id="ALGO9")

    assert code_of(exit_, forbidden="no", problem="no", caps=None) is None
    assert code_of(replace(exit_, protection_percent=Decimal(0))) == "NO_PROTECTION"


@pytest.mark.parametrize("tag", ["ABCDEFGHJKLMNPQ", "ABC-DEF", "ÄBCDEFGHJKLMNP", ""])
def test_an_order_that_could_not_be_found_by_its_tag_does_not_leave(tag: str) -> None:
    named = SimpleNamespace(tag=tag, order_type=OrderType.MARKET, protection_percent=Decimal(-1))

    denial = check_tag_and_protection(cast(OrderIntent, named))

    assert denial is not None
    assert denial.code == "BAD_TAG"
