"""What runs, in which order, and what each process is told by its environment."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trading.stack.options import StackOptions
from trading.stack.ports import LOOPBACK
from trading.stack.process import PROJECT, Program

MARKET_STARTS_AT = "08:58:00"
"""Before the instrument fetch of 09:00."""
ROLES = "ticker,engine,beat"
ENGINE = ("strategy", "sentinel")
"""Stopped before everything else."""
OUTLIVES = ("exchange", "redis")
"""Stopped last: the others speak to them until their end."""
SHARED_NAMES = (
    "ALGO_STATE_DIR",
    "ALGO_VENUE",
    "ALGO_CONTROL_URL",
    "KITE_ROOT",
    "KITE_WS_ROOT",
    "KITE_LOGIN_ROOT",
    "PAPER_ROOT",
    "PAPER_WS_ROOT",
    "PAPER_LOGIN_ROOT",
    "PAPER_CONTROL_URL",
    "DATABASE_URL",
    "REDIS_URL",
    "PORT",
)
"""What `stack`, `kill` and a second terminal need to speak to the same parts."""


def manage(*words: str) -> tuple[str, ...]:
    """Give the command line of one management command under this Python."""
    return (sys.executable, str(PROJECT / "manage.py"), *words)


def celery(*words: str) -> tuple[str, ...]:
    """Give the command line of a Celery program under this Python."""
    return (sys.executable, "-m", "celery", "-A", "algosystem", *words)


def exchange_program(options: StackOptions, *, redirect_url: str) -> Program:
    """The simulated exchange; `--fresh` only for its first start."""
    words = ["run_exchange", "--json", "--state-dir", str(options.state_dir), *options.exchange_arguments()]
    if not options.is_paper:
        words += ["--start-at", MARKET_STARTS_AT, "--expect", ROLES]
    words += ["--redirect-url", redirect_url]
    fresh = ("--fresh",) if options.is_fresh else ()
    return Program("exchange", manage(*words), first_arguments=fresh, announces=True)


def preparation(*, exchange_info: Path | None, is_fresh: bool, previous_venue: str) -> Program:
    """Migrate, check the venue and seed the demo; ends by itself."""
    words = ["prepare_stack"]
    if exchange_info is not None:
        words += ["--exchange-info", str(exchange_info)]
    if is_fresh:
        words += ["--fresh", "--previous-venue", previous_venue]
    return Program("prepare", manage(*words), announces=True, is_kept=False)


def product_programs(*, port: int) -> list[Program]:
    """The processes of the Procfile, in the order of their start."""
    return [
        Program("web", manage("run_web", "--host", LOOPBACK, "--port", str(port))),
        Program("worker", celery("worker", "-Q", "default,notify", "-P", "threads", "-c", "4", "-l", "INFO")),
        Program("beat", celery("beat", "-l", "INFO")),
        Program("ticker", manage("run_ticker")),
        Program("strategy", manage("run_strategy")),
        Program("sentinel", manage("run_strategy", "--standby")),
    ]


def base_environment(options: StackOptions, *, port: int, redis_url: str) -> dict[str, str]:
    """Give this process's variables and those that make the children one installation."""
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "algosystem.settings",
        "PYTHONUNBUFFERED": "1",
        "ALGO_STATE_DIR": str(options.state_dir),
        "ALGO_VENUE": "paper" if options.is_paper else "demo" if options.has_exchange else "live",
        "ALGO_CONTROL_URL": "",
        "REDIS_URL": redis_url,
        "PORT": str(port),
    }


def exchange_environment(info: Mapping[str, Any], *, is_paper: bool = False) -> dict[str, str]:
    """Point a broker adapter at the simulated exchange by what it announced; on paper the real one keeps its own."""
    rest = str(info["rest"])
    if is_paper:
        return {
            "PAPER_ROOT": rest,
            "PAPER_WS_ROOT": str(info["ws"]),
            "PAPER_LOGIN_ROOT": str(info["login"]),
            "PAPER_CONTROL_URL": str(info["control"]),
        }
    return {
        "KITE_ROOT": rest,
        "KITE_WS_ROOT": str(info["ws"]),
        "KITE_LOGIN_ROOT": str(info.get("login") or f"{rest}/connect/login"),
        "ALGO_CONTROL_URL": str(info["control"]),
    }
