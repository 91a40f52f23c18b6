"""What an exchange keeps on disk beside its ledger: who it is, which day it plays and where its clock stands."""

import json
import secrets
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

FILE_NAME = "clock.json"


@dataclass(slots=True)
class KeptState:
    """One exchange between two starts. `bars` is the replayed folder, empty for the generated market."""

    exchange_id: str
    day: str
    seed: int
    bars: str
    now_ms: int
    step: int
    is_finished: bool
    ports: tuple[int, int, int]
    """REST, ticker socket and control port, so that a restart is found where it was."""


class StateFile:
    """Reads and atomically writes `KeptState` in the exchange's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._path = folder / FILE_NAME

    def read(self) -> KeptState | None:
        """Give what was kept, None for a new exchange. Raises ValueError for a damaged file."""
        try:
            kept: dict[str, Any] = json.loads(self._path.read_text())
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise ValueError(f"{self._path} was damaged ({error}); start with --fresh") from error
        return KeptState(**{**kept, "ports": tuple(kept["ports"])})

    def write(self, state: KeptState) -> None:
        """Replace the file in one move; a reader sees the old or the new one."""
        self.folder.mkdir(parents=True, exist_ok=True)
        draft = self._path.with_suffix(".new")
        draft.write_text(json.dumps(asdict(state)))
        draft.replace(self._path)

    def erase(self) -> None:
        """Forget the exchange: ledger, clock, identity."""
        shutil.rmtree(self.folder, ignore_errors=True)


def new_exchange_id() -> str:
    """Make an identity; the databases that trade here are bound to it."""
    return f"exchange-{secrets.token_hex(4)}"


@dataclass(frozen=True, slots=True)
class DayWish:
    """What a start asks for; None means: as it was kept, or the default."""

    day: date | None
    seed: int | None
    bars: Path | None


@dataclass(frozen=True, slots=True)
class DayChoice:
    """The day to play. `goes_on` is true when a kept day continues where its clock stood."""

    day: date
    seed: int
    bars: Path | None
    goes_on: bool


def choose_day(
    kept: KeptState | None,
    wish: DayWish,
    *,
    first_day: Callable[[Path | None], date],
    day_after: Callable[[Path | None, date], date],
    default_seed: int,
) -> DayChoice:
    """Decide which day is played: the kept one, the one after a finished one, or a first one.

    Raises ValueError with the remedy `--fresh` when the wish is another than what the kept ledger plays.
    """
    if kept is None:
        seed = default_seed if wish.seed is None else wish.seed
        return DayChoice(wish.day or first_day(wish.bars), seed, wish.bars, goes_on=False)
    bars = Path(kept.bars) if kept.bars else None
    if wish.bars is not None and wish.bars != bars:
        raise _refusal("bars", str(wish.bars), kept.bars or "the generated market")
    if wish.seed is not None and wish.seed != kept.seed:
        raise _refusal("seed", str(wish.seed), str(kept.seed))
    day = date.fromisoformat(kept.day)
    if not kept.is_finished:
        if wish.day not in (None, day):
            raise _refusal("day", str(wish.day), kept.day)
        return DayChoice(day, kept.seed, bars, goes_on=True)
    following = day_after(bars, day)
    if wish.day not in (None, following):
        raise _refusal("day", str(wish.day), f"{kept.day}, finished, and {following} is next")
    return DayChoice(following, kept.seed, bars, goes_on=False)


def _refusal(word: str, wished: str, kept: str) -> ValueError:
    return ValueError(f"the kept ledger plays {word} {kept}, not {wished}; start with --fresh to begin anew")
