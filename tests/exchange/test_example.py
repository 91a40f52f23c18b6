"""The program in examples/ as a process against an exchange as a process."""

import ast
import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from algosystem.settings.base import BASE_DIR
from tests.exchange.test_command import Process, exchange

EXAMPLES = BASE_DIR / "examples"
FILES = sorted(EXAMPLES.glob("*.py"))
OWN = {path.stem for path in FILES}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_an_example_imports_the_official_sdk_and_the_standard_library_only(path: Path) -> None:
    imported: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            imported |= {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            imported.add((node.module or "").split(".")[0])

    assert imported - OWN - {"kiteconnect"} <= sys.stdlib_module_names


async def run_the_program(market: Process, folder: Path) -> tuple[int, str, dict[str, Any]]:
    """Let the program trade 25 minutes and give exit code, what it printed and its result."""
    (folder / "first_line").write_text(json.dumps(market.info))
    words = ["--speed", "120", "--range-ends", "09:20", "--square-off", "09:40"]
    program = await asyncio.create_subprocess_exec(
        sys.executable,
        str(EXAMPLES / "opening_range.py"),
        *("--join", str(folder / "first_line"), "--result", str(folder / "result"), *words),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        said, _ = await asyncio.wait_for(program.communicate(), 280)
    finally:
        if program.returncode is None:
            program.kill()
    return program.returncode or 0, said.decode(), json.loads((folder / "result").read_text())


async def test_the_example_trades_and_reports_what_the_ledger_says(tmp_path: Path) -> None:
    async with exchange("--state-dir", str(tmp_path / "state"), "--day", "2026-11-23") as market:
        code, said, result = await run_the_program(market, tmp_path)
        ledger = await market.control("GET", "/ledger")
        charges = await market.control("GET", "/charges")
        faults = await market.control("GET", "/faults")
    account = ledger["AB1001"]
    tags = [order["tag"] for order in account["orders"]]

    assert code == 0
    assert account["trades"]
    assert {position["net_quantity"] for position in account["positions"]} == {0}
    assert {order["status"] for order in account["orders"]} <= {"COMPLETE", "CANCELLED", "REJECTED"}
    assert {order["order_id"] for order in result["orders"]} == {order["order_id"] for order in account["orders"]}
    assert result["pnl"] == pytest.approx(float(account["realised_pnl"]), abs=0.01)
    assert result["charges"] == pytest.approx(float(charges["AB1001"]["total"]), abs=0.01)
    assert f"after charges  {result['pnl'] - result['charges']:10.2f}" in said
    # the first order's answer was lost on purpose: it was found again, not sent twice
    assert len(faults["injected"]) == len(result["doubts"]) == 1
    assert len(tags) == len(set(tags))
