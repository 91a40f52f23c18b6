"""`run_exchange` as a process of its own."""

import asyncio
import json
import os
import signal
import sys
from argparse import SUPPRESS
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from django.core.management import CommandError, call_command
from kiteconnect import KiteConnect

from algosystem.settings.base import BASE_DIR
from trading.management.commands.run_exchange import Command as RunExchange


class Process:
    """One `run_exchange --json`, its first line read."""

    def __init__(self, process: asyncio.subprocess.Process, info: dict[str, Any]) -> None:
        self.process = process
        self.info = info

    async def control(self, method: str, path: str, body: object = None) -> Any:
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, f"{self.info['control']}{path}", json=body) as reply,
        ):
            return await reply.json()

    async def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return await asyncio.wait_for(self.process.wait(), 60)


@asynccontextmanager
async def exchange(*words: str) -> AsyncIterator[Process]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ALGO", "DJANGO"))}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(BASE_DIR / "manage.py"),
        "run_exchange",
        "--json",
        *words,
        stdout=asyncio.subprocess.PIPE,
        env=environment,
    )
    assert process.stdout is not None
    try:
        yield Process(process, json.loads(await asyncio.wait_for(process.stdout.readline(), 240)))
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_the_first_line_is_all_that_a_program_needs(tmp_path: Path) -> None:
    async with exchange("--state-dir", str(tmp_path)) as market:
        info = market.info
        user = info["users"][0]
        kite = KiteConnect(user["api_key"], user["access_token"], root=info["rest"])
        prices = await asyncio.to_thread(kite.ltp, "NSE:NIFTY 50", "NSE:INFY", "NSE:RELIANCE")
        clock = await market.control("GET", "/clock")

        assert set(user) == {"user_id", "api_key", "api_secret", "access_token"}
        assert len(prices) == 3
        assert (clock["speed"], clock["pace"], clock["phase"], clock["held"]) == (1, "hold", "open", False)
        assert datetime.fromisoformat(clock["now"]).strftime("%H:%M") == "09:15"


async def test_sigterm_right_after_the_first_line_stops_it_cleanly(tmp_path: Path) -> None:
    async with exchange("--state-dir", str(tmp_path)) as market:
        assert await market.end(signal.SIGTERM) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_stopped_or_killed_in_mid_day_it_goes_on_and_never_back(tmp_path: Path, number: signal.Signals) -> None:
    words = ("--state-dir", str(tmp_path), "--speed", "600")
    async with exchange(*words, "--day", "2026-11-23") as market:
        user = market.info["users"][1]
        kite = KiteConnect(user["api_key"], user["access_token"], root=market.info["rest"])
        await asyncio.sleep(0.5)
        order = {"variety": "regular", "exchange": "NSE", "tradingsymbol": "INFY", "transaction_type": "BUY"}
        more = {"quantity": 1, "product": "MIS", "order_type": "MARKET", "market_protection": -1}
        order_id = await asyncio.to_thread(lambda: kite.place_order(**order, **more))
        seen = await market.control("GET", "/clock")
        await market.end(number)

    async with exchange(*words) as again:
        await again.control("POST", "/clock", {"hold": True})
        now = await again.control("GET", "/clock")
        ledger = await again.control("GET", "/ledger")

    assert again.info["exchange_id"] == market.info["exchange_id"]
    assert seen["step"] > 0
    assert now["epoch_ms"] >= seen["epoch_ms"]
    assert now["step"] >= seen["step"]
    assert [one["order_id"] for one in ledger[user["user_id"]]["orders"]] == [order_id]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--day", "tomorrow"], "--day must be a date as 2026-11-23, was 'tomorrow'"),
        (["--day", "2026-11-22"], "day must be a trading day: 2026-11-22 is a Sunday"),
        (["--start-at", "25:00"], "--start-at must be a time of day as 09:15:00, was '25:00'"),
        (["--speed", "601"], "speed must be 1 to 600, was 601"),
        (["--bars", "nowhere"], "nowhere is not a folder"),
        (["--expect", "nobody"], "--expect knows ticker, engine, beat, was 'nobody'"),
        (["--accounts", "-1"], "--accounts must be 0 to 9999, was -1"),
        (["--rest-port", "70000"], "a port must be 0 to 65535, was 70000"),
        (["--redirect-url", "back"], "--redirect-url must be an address as http://127.0.0.1:8000/back, was 'back'"),
        (["--postback-url", "ftp://x"], "--postback-url must be an address as .*, was 'ftp://x'"),
    ],
)
def test_a_wrong_option_is_one_sentence(tmp_path: Path, words: list[str], says: str) -> None:
    with pytest.raises(CommandError, match=says) as refused:
        call_command("run_exchange", *words, "--state-dir", str(tmp_path))

    assert "\n" not in str(refused.value)


async def test_a_state_directory_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(BASE_DIR / "manage.py"),
        "run_exchange",
        "--state-dir",
        str(tmp_path / "file"),
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()

    assert process.returncode == 1
    assert (
        said.decode()
        == f"The state directory {tmp_path}/file cannot be used (File exists). Choose another --state-dir.\n"
    )


def test_every_option_is_explained_with_its_default(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        call_command("run_exchange", "--help")
    said = capsys.readouterr().out
    parser = RunExchange().create_parser("manage.py", "run_exchange")
    shown = [action for action in parser._actions if action.option_strings and action.help != SUPPRESS]

    assert ended.value.code == 0
    assert "exit codes:" in said
    for action in shown:
        assert action.help, action.option_strings
        takes_a_value = action.nargs != 0
        assert not takes_a_value or "(default" in action.help, action.option_strings


async def test_a_second_exchange_in_one_folder_is_one_sentence(tmp_path: Path) -> None:
    async with exchange("--state-dir", str(tmp_path)) as market:
        second = await asyncio.create_subprocess_exec(
            sys.executable,
            str(BASE_DIR / "manage.py"),
            "run_exchange",
            "--state-dir",
            str(tmp_path),
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await second.communicate()
        taken = market.info["rest"].rsplit(":", 1)[1]
        with pytest.raises(CommandError, match=f"port {taken} is taken; choose another one"):
            call_command("run_exchange", "--state-dir", str(tmp_path / "other"), "--rest-port", taken)

    assert second.returncode == 1
    assert said.decode() == (
        f"CommandError: an exchange runs in {tmp_path}/exchange already; "
        "stop it, or give this one a --state-dir of its own\n"
    )


async def test_killed_in_mid_auction_it_matches_what_was_sent_before_at_the_one_closing_price(tmp_path: Path) -> None:
    words = ("--state-dir", str(tmp_path))
    order = {"variety": "regular", "exchange": "NSE", "tradingsymbol": "INFY", "transaction_type": "BUY"}
    async with exchange(*words, "--day", "2026-11-23", "--start-at", "15:21") as market:
        user = market.info["users"][1]
        kite = KiteConnect(user["api_key"], user["access_token"], root=market.info["rest"])
        terms = {"quantity": 7, "product": "CNC", "order_type": "MARKET", "market_protection": -1}
        order_id = await asyncio.to_thread(lambda: kite.place_order(**order, **terms))
        await market.end(signal.SIGKILL)

    async with exchange(*words, "--speed", "600") as market:
        user = market.info["users"][1]
        kite = KiteConnect(user["api_key"], user["access_token"], root=market.info["rest"])
        await market.control("POST", "/clock", {"run_until": "15:36:00"})
        while not (await market.control("GET", "/clock"))["held"]:  # noqa: ASYNC110 (asked over HTTP)
            await asyncio.sleep(0.05)
        last = (await asyncio.to_thread(kite.order_history, order_id))[-1]
        price = (await asyncio.to_thread(kite.ltp, "NSE:INFY"))["NSE:INFY"]["last_price"]

        assert (last["status"], last["filled_quantity"], last["average_price"]) == ("COMPLETE", 7, price)
