"""Every broker and feed fault of the list can be set by its number, shows as described, and is kept."""

import re
from pathlib import Path

import pytest

from tests.exchange.named import answers, feed, orders
from tests.exchange.named.answers import served_market
from tests.exchange.named.market import MARKET_SCENARIOS
from tests.exchange.named.sharing import SCENARIOS
from tests.exchange.running import running
from trading.exchange.faults.presets import PRESETS, sheet

MODULES = (answers, feed, orders)
"""Their scenarios put themselves into SCENARIOS."""
NUMBERS = [f"F{number:02d}" for number in range(1, 36)]
DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "exchange" / "faults.md"


@pytest.mark.parametrize("number", NUMBERS)
async def test_a_named_fault_shows_as_it_is_described_and_is_kept(number: str, tmp_path: Path) -> None:
    if number in MARKET_SCENARIOS:
        async with running(tmp_path) as market:
            await MARKET_SCENARIOS[number](market)
            _, kept = await market.ask("GET", f"/faults/log?script={number}")
            assert kept["log"]
        return
    async with served_market() as served:
        await SCENARIOS[number](served)
        assert served.faults.log({"script": number})


def test_every_number_has_a_preset_in_words_and_a_row_in_the_document() -> None:
    rows = re.findall(r"^\| (F\d\d) \|", DOCUMENT.read_text(), re.MULTILINE)

    assert list(PRESETS) == NUMBERS
    assert rows == NUMBERS
    assert all(one["title"] and one["says"] for one in sheet())
