"""What `run_stack` was asked for."""

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

SPEED_RANGE = (1, 600)
DEFAULT_SPEED = 60
LONGEST_PAUSE_RANGE = (1, 3600)
DEFAULT_LONGEST_PAUSE_S = 30


@dataclass(frozen=True, slots=True)
class StackOptions:
    """One run. `speed` is the ceiling of market seconds a wire second; `port` None means the usual one."""

    state_dir: Path
    speed: int = DEFAULT_SPEED
    pace: str = "hold"
    day: date | None = None
    seed: int | None = None
    bars: Path | None = None
    port: int | None = None
    has_exchange: bool = True
    is_paper: bool = False
    is_fresh: bool = False
    longest_pause_s: int = DEFAULT_LONGEST_PAUSE_S

    @classmethod
    def from_command(cls, options: Mapping[str, Any], *, state_dir: Path) -> "StackOptions":
        """Take what argparse has parsed by `add_arguments`."""
        return cls(
            state_dir=state_dir,
            speed=options["speed"],
            pace=options["pace"],
            day=options["day"],
            seed=options["seed"],
            bars=options["bars"],
            port=options["port"],
            has_exchange=not options["no_exchange"],
            is_paper=options["paper"],
            is_fresh=options["fresh"],
            longest_pause_s=options["longest_pause"],
        )

    def exchange_arguments(self) -> list[str]:
        """Give the market's options as `run_exchange` takes them, `--fresh` excepted."""
        if self.is_paper:
            return ["--live"]
        words = ["--speed", str(self.speed), "--pace", self.pace]
        for name, value in (("--day", self.day), ("--seed", self.seed), ("--bars", self.bars)):
            if value is not None:
                words += [name, str(value)]
        return words


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options of `run_stack`."""
    low, high = SPEED_RANGE
    parser.add_argument(
        "--speed", type=_speed, default=DEFAULT_SPEED, metavar="N", help=f"ceiling of market time, {low} to {high}"
    )
    parser.add_argument(
        "--pace",
        choices=["hold", "free"],
        default="hold",
        help="hold: the market waits until everybody has decided; free: it never waits, at 60 at the most",
    )
    parser.add_argument("--day", type=_day, metavar="YYYY-MM-DD", help="the simulated day")
    parser.add_argument("--seed", type=int, help="of the generated market")
    parser.add_argument("--bars", type=_folder, metavar="DIR", help="replay real minute bars of this folder")
    parser.add_argument("--port", type=_port, help="of the web pages, 8000 unless PORT says otherwise")
    parser.add_argument("--no-exchange", action="store_true", help="trade live: no simulated exchange")
    parser.add_argument("--paper", action="store_true", help="real prices, made-up money")
    parser.add_argument("--fresh", action="store_true", help="empty this demo's exchange, database and Redis first")
    parser.add_argument(
        "--longest-pause",
        type=_pause,
        default=DEFAULT_LONGEST_PAUSE_S,
        metavar="SECONDS",
        help="the longest wait before a process that ends again and again is started once more, default 30",
    )
    add_state_dir(parser)


def add_state_dir(parser: ArgumentParser) -> None:
    """Declare `--state-dir`. Its value was read before the settings (algosystem.entry)."""
    parser.add_argument("--state-dir", metavar="DIR", help="where everything of this installation lies, default var")


def _speed(text: str) -> int:
    return _whole(text, *SPEED_RANGE)


def _pause(text: str) -> int:
    return _whole(text, *LONGEST_PAUSE_RANGE)


def _port(text: str) -> int:
    return _whole(text, 1, 65535)


def _whole(text: str, low: int, high: int) -> int:
    if not text.isdecimal() or not low <= int(text) <= high:
        raise ArgumentTypeError(f"must be a whole number from {low} to {high}, was {text!r}")
    return int(text)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"must be a date like 2026-11-23, was {text!r}") from error


def _folder(text: str) -> Path:
    path = Path(text).absolute()
    if not path.is_dir():
        raise ArgumentTypeError(f"must be a folder, was {text!r}")
    return path
