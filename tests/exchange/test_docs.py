"""The exchange's document: its program runs, its links lead somewhere, its options exist."""

import asyncio
import json
import re
import sys
from pathlib import Path

import pytest

from algosystem.settings.base import BASE_DIR
from tests.exchange.test_command import exchange
from trading.management.commands.exchange_year import Command as ExchangeYear
from trading.management.commands.run_exchange import Command as RunExchange

ENTRY = BASE_DIR / "docs" / "exchange.md"
CHAPTERS = sorted((BASE_DIR / "docs" / "exchange").glob("*.md"))
PAGES = [ENTRY, *CHAPTERS, BASE_DIR / "examples" / "README.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_of_the_document_lead_to_files(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text())
    dead = [target for target in targets if "://" not in target and not (page.parent / target).exists()]

    assert dead == []


def test_every_chapter_is_in_the_table() -> None:
    listed = set(re.findall(r"\(exchange/([a-z-]+\.md)\)", ENTRY.read_text()))

    assert listed == {page.name for page in CHAPTERS}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_options_of_the_document_exist(page: Path) -> None:
    parsers = [command().create_parser("manage.py", "any") for command in (RunExchange, ExchangeYear)]
    known = {word for parser in parsers for action in parser._actions for word in action.option_strings}
    own = {"--join", "--range-ends", "--square-off", "--user", "--result"}  # of the example
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", page.read_text()))

    assert named - known - own == set()


async def test_the_first_order_of_the_document_is_placed(tmp_path: Path) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", ENTRY.read_text(), re.DOTALL)
    async with exchange("--state-dir", str(tmp_path / "state")) as market:
        (tmp_path / "first_line").write_text(json.dumps(market.info))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", program), cwd=tmp_path, stdout=asyncio.subprocess.PIPE
        )
        said, _ = await asyncio.wait_for(process.communicate(), 240)
        ledger = await market.control("GET", "/ledger")
    (order,) = ledger["AB1001"]["orders"]

    assert process.returncode == 0
    assert said
    assert (order["instrument"], order["side"], order["quantity"]) == ("NSE:INFY", "BUY", 1)
