"""Triggers, alerts with orders and funds are part of the truth, and only where somebody uses them."""

from collections.abc import Callable

import pytest

from tests.exchange.fakes import Desk
from tests.exchange.venue.test_alerts import above, ato
from tests.exchange.venue.test_alerts import made as alert
from tests.exchange.venue.test_funds import FUND, MONTHLY, rupees
from tests.exchange.venue.test_gtt import placed as trigger
from tests.exchange.venue.test_gtt import single

USES: dict[str, Callable[[Desk], object]] = {
    "gtt": lambda desk: trigger(desk, single(1490)),
    "atos": lambda desk: alert(desk, ato()),
    "mf_orders": lambda desk: desk.venue.funds.buy("AB1001", FUND, rupees(5000), ""),
    "mf_sips": lambda desk: desk.venue.funds.register("AB1001", FUND, MONTHLY, ""),
}


def test_a_day_that_uses_none_of_them_has_the_keys_it_always_had() -> None:
    desk = Desk()
    untouched = desk.venue.ledger_hash()
    alert(desk, above("1510"))

    assert set(desk.venue.ledger_truth()["AB1001"]) == {
        "orders", "trades", "positions", "holdings", "cash", "realised_pnl",
    }  # fmt: skip
    assert desk.venue.ledger_hash() == untouched


@pytest.mark.parametrize("noun", sorted(USES))
def test_what_decides_about_money_is_in_truth_and_hash_without_its_number(noun: str) -> None:
    plain, once, later = Desk(), Desk(), Desk()
    USES[noun](once)
    trigger_of_another = {"gtt": lambda: trigger(later, single(1470), "AB1002")}
    trigger_of_another.get(noun, lambda: None)()
    USES[noun](later)

    assert [len(once.venue.ledger_truth()["AB1001"][noun])] == [1]
    assert noun not in once.venue.ledger_truth()["AB1002"]
    assert once.venue.ledger_hash() != plain.venue.ledger_hash()
    one, other = (desk.venue.ledger_truth()["AB1001"][noun][0] for desk in (once, later))
    assert {key: one[key] for key in one if "id" not in key} == {key: other[key] for key in other if "id" not in key}


def test_the_hash_does_not_look_at_the_order_of_arrival() -> None:
    first, second = Desk(), Desk()
    for desk, values in ((first, (1490, 1480)), (second, (1480, 1490))):
        for value in values:
            trigger(desk, single(value))

    assert first.venue.ledger_hash() == second.venue.ledger_hash()
