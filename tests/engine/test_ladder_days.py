"""The ladder through the whole engine: same events, same P&L as the worked cases, orders as booked."""

import json
from datetime import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.engine.stage import GILLETTE, Stage
from trading.domain.instruments import Instrument
from trading.domain.money import to_paisa

CASES = sorted((Path(__file__).parents[1] / "domain" / "vectors").glob("*.json"))
BESIDE = Path(__file__).parents[2].parent / "shared" / "spec" / "vectors"


def load(file: Path) -> dict[str, Any]:
    case: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return case


async def run_case(stage: Stage, case: dict[str, Any]) -> None:
    """Play a worked case to an engine."""
    told, high_low = case["instrument"], case["range"]
    instrument = Instrument("NSE", told["tradingsymbol"], 1281, Decimal(told["tick_size"]), told["lot_size"])
    stage.client(square_off_at=time(15, 28), no_new_entry_after=time(15, 28))
    day_range = (Decimal(high_low["high"]), Decimal(high_low["low"]))
    stage.plan(instrument, quantity=case["quantity"], config=case["config"], day_range=day_range)
    await stage.start()
    for at, price in case["ticks"]:
        await stage.tick(at, price)
    await stage.settle(0.5)


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
async def test_a_worked_case_gives_its_events_and_pnl_through_the_whole_engine(stage: Stage, file: Path) -> None:
    case = load(file)

    await run_case(stage, case)

    assert stage.ladder_events() == case["expected"]["events"]
    assert to_paisa(stage.broker.realised()) == Decimal(case["expected"]["realised_pnl"])
    assert stage.alarm_codes() == []


async def test_targets_reached_on_one_tick_are_one_order(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    await stage.start()

    await stage.ticks(("09:15:00", "108.00"), ("09:15:01", "108.10"), ("09:15:02", "109.60"))

    assert stage.sent() == [("ENTRY", "BUY", 100), ("TARGET", "SELL", 30)]
    assert stage.broker.placed[1].key.round == 3


@pytest.mark.skipif(not BESIDE.is_dir(), reason="the folder of all worked cases does not lie beside the project")
@pytest.mark.parametrize("file", sorted(BESIDE.glob("*.json"))[::9], ids=lambda file: file.stem)
async def test_a_long_worked_case_gives_its_events_and_pnl_through_the_whole_engine(stage: Stage, file: Path) -> None:
    case = load(file)

    await run_case(stage, case)

    assert stage.ladder_events() == case["expected"]["events"]
    assert to_paisa(stage.broker.realised()) == Decimal(case["expected"]["realised_pnl"])
