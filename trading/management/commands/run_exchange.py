"""`run_exchange`: the simulated exchange, alone. Needs no database, no Redis and no `run_stack`."""

import asyncio
import json
import os
import signal
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from datetime import date, time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.management.base import BaseCommand, CommandError, CommandParser

from trading.clock.live import LiveClock
from trading.domain.timezone import ist_day
from trading.exchange.collecting import collect_seldom
from trading.exchange.days import DayWish
from trading.exchange.live_server import LiveExchange
from trading.exchange.participants import ROLES
from trading.exchange.server import Exchange, ExchangeOptions
from trading.management import exchange_options

MOST_ACCOUNTS = 9999


class Command(BaseCommand):
    """Serve until SIGTERM or Ctrl-C."""

    help = exchange_options.HELP
    requires_system_checks = []
    requires_migrations_checks = False
    suppressed_base_arguments = {  # Django's own, of no use here
        "--version",
        "--verbosity",
        "--settings",
        "--pythonpath",
        "--traceback",
        "--no-color",
        "--force-color",
    }

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Keep the lines of the examples as they are written."""
        words = {"formatter_class": RawDescriptionHelpFormatter, "epilog": exchange_options.EPILOG}
        return super().create_parser(prog_name, subcommand, **words | kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options; those of the market are run_stack's too."""
        exchange_options.declare(parser, roles=ROLES)

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the exchange in this process. Whatever is wrong with the options is one sentence."""
        try:
            exchange = _make(options)
        except (ValueError, OSError) as error:
            raise CommandError(str(error)) from error
        if not asyncio.run(_serve(exchange, as_json=options["json"])):
            sys.exit(1)


def _make(given: dict[str, Any]) -> Exchange:
    clock = LiveClock()
    if not given["live"]:
        if given["live_time"] != "wall":
            raise ValueError("--live-time belongs to --live")
        return Exchange(_options(given), monotonic=clock.monotonic)
    wall = clock.wall if given["live_time"] == "wall" else None
    return LiveExchange(_options(given), monotonic=clock.monotonic, wall=wall)


def _options(given: dict[str, Any]) -> ExchangeOptions:
    bars: Path | None = given["bars"]
    expected = tuple(role for role in given["expect"].split(",") if role)
    unknown = sorted(set(expected) - set(ROLES))
    if unknown:
        raise ValueError(f"--expect knows {', '.join(ROLES)}, was {unknown[0]!r}")
    return ExchangeOptions(
        state_dir=given["state_dir"] or Path(os.environ.get("ALGO_STATE_DIR", "var")),
        today=ist_day(LiveClock().wall()),
        wish=DayWish(_day(given["day"]), given["seed"], bars.resolve() if bars else None),
        speed=given["speed"],
        pace=given["pace"],
        is_fresh=given["fresh"],
        start_at=_time(given["start_at"]),
        expected_roles=expected,
        ports=(given["rest_port"], given["ws_port"], given["control_port"]),
        more_accounts=_accounts(given["accounts"]),
        redirect_url=_url(given["redirect_url"], "--redirect-url"),
        postback_url=_url(given["postback_url"], "--postback-url"),
    )


async def _serve(exchange: Exchange, *, as_json: bool) -> bool:
    """Serve until a signal; False when a part of the exchange broke (the log says which)."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):  # before the first line, after which anybody may send one
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await exchange.start()
    collect_seldom()
    _announce(exchange.info, as_json=as_json)
    broken, stop = asyncio.create_task(exchange.wait()), asyncio.create_task(stopped.wait())
    done, _ = await asyncio.wait({broken, stop}, return_when=asyncio.FIRST_COMPLETED)
    await exchange.stop()
    for task in (broken, stop):
        task.cancel()
    await asyncio.gather(broken, stop, return_exceptions=True)
    return broken not in done


def _announce(info: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(info), flush=True)
        return
    user = info["users"][1]  # a client; the first one is the operator
    lines = (
        f"Simulated exchange {info['exchange_id']}, day {info['day']}. Ctrl-C stops it, the next start goes on.",
        f"  REST     {info['rest']}",
        f"  ticker   {info['ws']}",
        f"  login    {info['login']}?v=3&api_key={user['api_key']}",
        f"  control  {info['control']}  (/clock, /users, /ledger, /faults)",
        f"  {user['user_id']}   api_key {user['api_key']}  access_token {user['access_token']}",
        "  Other users, secrets and passwords: GET /users on the control port, or start with --json.",
    )
    print("\n".join(lines), flush=True)


def _url(text: str, option: str) -> str:
    parts = urlsplit(text)
    if text and not (parts.scheme in ("http", "https") and parts.hostname):
        raise ValueError(f"{option} must be an address as http://127.0.0.1:8000/back, was {text!r}")
    return text


def _accounts(count: int) -> int:
    if not 0 <= count <= MOST_ACCOUNTS:
        raise ValueError(f"--accounts must be 0 to {MOST_ACCOUNTS}, was {count}")
    return count


def _day(text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"--day must be a date as 2026-11-23, was {text!r}") from error


def _time(text: str) -> time:
    try:
        return time.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"--start-at must be a time of day as 09:15:00, was {text!r}") from error
