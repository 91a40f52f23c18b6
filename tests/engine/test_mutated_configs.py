"""Five hundred configurations with a mistake in them: none gets an order past the caps (F65)."""

import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from tests.engine.stage import Stage
from tests.evidence.plugin import Tally
from trading.domain.caps import HouseCaps
from trading.domain.instruments import Instrument
from trading.domain.ladder_config import RangeSource
from trading.domain.orders import OrderIntent
from trading.domain.reference_range import ReferenceRange
from trading.ports import Plan

CONFIGS, ACCOUNTS = 500, 50
CAPS = HouseCaps(
    order_value=Decimal(30_000), order_quantity=400, trades_a_day=8, open_positions=3,
    entries_a_ladder=1, same_side_entries=2, same_side_seconds=60, collar_percent=Decimal(8),
)  # fmt: skip
HIGH, LOW = Decimal(110), Decimal(100)

Mistake = Callable[[random.Random, dict[str, Any]], None]
"""Spoils the keywords of a plan."""


def config(values: dict[str, Any], **changes: Any) -> None:
    values["config"] = {**values["config"], **changes}


def shuffled(rng: random.Random, name: str, fractions: list[str]) -> dict[str, list[str]]:
    rng.shuffle(fractions)
    return {name: fractions}


MISTAKES: list[Mistake] = [
    lambda rng, plan: plan.update(quantity=(plan["quantity"] or 1) * 100),
    lambda rng, plan: plan.update(quantity=(plan["quantity"] or 1) * rng.choice([10, 1000, 10**6])),
    lambda rng, plan: plan.update(quantity=None, capital=Decimal(10) ** rng.randrange(3, 12)),
    lambda rng, plan: config(plan, sides=rng.choice(["long", "short"]), max_entries_per_side=10**6),
    lambda rng, plan: config(plan, trigger="level", rearm="any", max_entries_per_side=10**6),
    lambda rng, plan: config(plan, entry_buy_fraction="0.91", entry_sell_fraction="0.19"),
    lambda rng, plan: config(
        plan, stop_fractions=[str(Decimal(n) / 20) for n in range(1, 11)]
    ),  # stops above the price
    lambda rng, plan: config(plan, **shuffled(rng, "stop_fractions", [str(Decimal(n) / 20) for n in range(-5, 5)])),
    lambda rng, plan: config(plan, **shuffled(rng, "target_fractions", [str(Decimal(n) / 20) for n in range(1, 11)])),
    lambda rng, plan: config(plan, booking_fractions=["1.0"] * 10),
    lambda rng, plan: config(plan, entry_buy_fraction=rng.choice(["8.1", "-0.81", "NaN", "0"])),
    lambda rng, plan: config(plan, no_new_entry_after="23:59:00", square_off_at="23:59:59"),
    lambda rng, plan: plan.update(high=plan["low"], low=plan["high"]),
    lambda rng, plan: plan.update(high=plan["high"] * 100, low=plan["low"] * 100),
    lambda rng, plan: plan.update(high=plan["high"] / 100, low=plan["low"] / 100),
    lambda rng, plan: plan.update(lot_size=rng.choice([3, 75, 10_000])),
]


def spoiled_plan(rng: random.Random, number: int, token: int) -> Plan:
    values: dict[str, Any] = {"quantity": rng.choice([1, 30, 100]), "capital": None, "config": {}}
    values |= {"high": HIGH, "low": LOW, "lot_size": 1}
    for mistake in rng.sample(MISTAKES, rng.choice([1, 1, 2])):
        mistake(rng, values)
    instrument = Instrument("NSE", f"S{token}", token, Decimal("0.05"), values["lot_size"])
    known = ReferenceRange(values["high"], values["low"], RangeSource.PREVIOUS_DAY, "2026-11-20", "2026-11-20", "test")
    return Plan(f"kite:A{number}", instrument, values["config"], values["quantity"], values["capital"], known)


@pytest.mark.proves("F65", "I13", database="none")
async def test_no_mistake_in_a_configuration_gets_an_order_past_the_caps(tally: Tally) -> None:
    rng = random.Random("F65")
    stage = Stage()
    stage.store.house_caps = CAPS
    plans = []
    for number in range(ACCOUNTS):
        stage.client(number + 1, f"A{number}")
        for line in range(CONFIGS // ACCOUNTS):
            plans.append(spoiled_plan(rng, number, 1_000 + number * 100 + line))
            stage.store.add_plan(plans[-1])
    seen: list[tuple[OrderIntent, Decimal, int]] = []
    for broker in stage.brokers.values():
        broker.before_place = lambda intent, broker=broker: seen.append(  # type: ignore[misc]
            (intent, broker.prices[intent.key.instrument], sum(1 for key in broker.prices if broker.net(key)))
        )
    await stage.start()
    for second, price in enumerate(
        ["105", "100.5", "105", "108.5", "112", "99", "105", "100.2", "105", "109", "95"] * 2
    ):
        stage.clock.set_ist(f"09:{15 + second // 6:02}:{second % 6 * 10:02}")
        for plan in plans:
            stage.feed.put(
                stage.trade(Decimal(price) + rng.choice([Decimal(0), Decimal(0), Decimal("0.05")]), plan.instrument)
            )
        await stage.settle(6.0)

    entries = [one for one in seen if one[0].key.purpose == "ENTRY"]
    by_account = {account: [e for e in entries if e[0].key.account == account] for account in stage.brokers}
    assert len(entries) > 50, "so few orders prove nothing"
    assert all(intent.quantity <= CAPS.order_quantity for intent, _, _ in entries)
    assert all(intent.quantity * price <= CAPS.order_value for intent, price, _ in entries)
    assert all(open_before < CAPS.open_positions for _, _, open_before in entries)
    assert all(len(made) <= CAPS.trades_a_day for made in by_account.values())
    per_ladder: dict[tuple[str, str], int] = {}
    for intent, _, _ in entries:
        place = (intent.key.account, intent.key.instrument)
        per_ladder[place] = per_ladder.get(place, 0) + 1
    assert max(per_ladder.values()) <= CAPS.entries_a_ladder
    denied = {event.data["code"] for event in stage.events("ORDER_DENIED")}
    assert {"MAX_ORDER_QUANTITY", "MAX_ORDER_VALUE", "MAX_OPEN_POSITIONS", "REPEATED_EXECUTION"} <= denied
    tally.count(tried=CONFIGS, survived=CONFIGS)
    await stage.stop()
