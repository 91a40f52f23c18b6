"""`run_exchange`: the simulated exchange, alone. Needs no database, no Redis and no `run_stack`."""

import asyncio
import json
import os
import signal
import sys
from argparse import ArgumentParser
from datetime import date, time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from trading.clock.live import LiveClock
from trading.domain.timezone import ist_day
from trading.exchange.days import DayWish
from trading.exchange.live_server import LiveExchange
from trading.exchange.participants import ROLES
from trading.exchange.server import Exchange, ExchangeOptions

MOST_ACCOUNTS = 9999


class Command(BaseCommand):
    """Serve until SIGTERM or Ctrl-C."""

    help = "The simulated exchange: Kite Connect v3 on loopback, with its own market, ledger and clock."
    requires_system_checks = []
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options; the market ones are those of run_stack."""
        parser.add_argument("--json", action="store_true", help="print one JSON line with addresses and users first")
        parser.add_argument("--speed", type=int, default=1, help="market seconds a second at the most, 1 to 600")
        parser.add_argument("--pace", choices=("hold", "free"), default="hold", help="hold waits for its participants")
        parser.add_argument("--day", help="the trading day, YYYY-MM-DD (default: the next one)")
        parser.add_argument("--seed", type=int, help="the same seed gives the same day (default 810)")
        parser.add_argument("--bars", type=Path, help="replay minute bars from this folder")
        parser.add_argument(
            "--live",
            action="store_true",
            help="no market of its own: real prices come in at /prices, time is the wall's",
        )
        parser.add_argument(
            "--live-time",
            choices=("wall", "feed"),
            default="wall",
            help="feed: time is what the feeder says (trials with a simulated broker)",
        )
        parser.add_argument("--fresh", action="store_true", help="empty ledger and clock first")
        parser.add_argument("--state-dir", type=Path, help="where ledger and clock are kept (default var)")
        parser.add_argument("--rest-port", type=int, default=0, help="0: the one of the last start, or a free one")
        parser.add_argument("--ws-port", type=int, default=0)
        parser.add_argument("--control-port", type=int, default=0)
        parser.add_argument("--accounts", type=int, default=0, help="so many free accounts more: ZZ0001, ZZ0002 ...")
        parser.add_argument("--redirect-url", default="", help="where the login page sends users back to")
        parser.add_argument("--postback-url", default="", help="where order postbacks are sent")
        parser.add_argument("--start-at", default="09:15:00", help="where a new day starts, HH:MM:SS")
        parser.add_argument("--expect", default="", help=f"do not begin before these joined: {','.join(ROLES)}")

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
        redirect_url=given["redirect_url"],
        postback_url=given["postback_url"],
    )


async def _serve(exchange: Exchange, *, as_json: bool) -> bool:
    """Serve until a signal; False when a part of the exchange broke (the log says which)."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):  # before the first line, after which anybody may send one
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await exchange.start()
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
    print(f"Simulated exchange {info['exchange_id']}, day {info['day']}", flush=True)
    print(f"  REST {info['rest']}  ticker {info['ws']}  control {info['control']}", flush=True)
    print("  users and keys: GET /users on the control port, or start with --json", flush=True)


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
