"""What an exchange keeps on disk beside its ledger: who it is, which day it plays and where its clock stands."""

import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import IO, Any

FILE_NAME = "clock.json"
LOCK_NAME = "lock"
WIDTH = 4096
"""The file is padded to one page, so that writing over it is one call that a killed process has done or not done."""


@dataclass(slots=True)
class KeptState:
    """One exchange between two starts. `bars` is the replayed folder, empty for the generated market."""

    exchange_id: str
    day: date
    seed: int
    bars: str
    now_ms: int
    step: int
    is_finished: bool
    ports: tuple[int, int, int]
    """REST, ticker socket and control port, so that a restart is found where it was."""
    is_live: bool = False
    """True when the prices come from outside; such a ledger goes on with no other prices."""


class StateFile:
    """`KeptState` in the exchange's folder. `claim` it before writing; a reader needs no claim."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._path = folder / FILE_NAME
        self._lock: IO[str] | None = None
        self._open: int | None = None

    def claim(self) -> None:
        """Make the folder and be its only exchange until `release`, or until this process ends however it ends.

        Raises ValueError when another exchange runs there or the folder cannot be written.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = (self.folder / LOCK_NAME).open("a")
        except OSError as error:
            raise ValueError(
                f"{self.folder} cannot be written ({error.strerror}); choose another --state-dir"
            ) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.close()
            raise ValueError(
                f"an exchange runs in {self.folder} already; stop it, or give this one a --state-dir of its own"
            ) from error
        self._lock = lock

    def release(self) -> None:
        """Let another exchange have the folder."""
        if self._open is not None:
            os.close(self._open)
        if self._lock is not None:
            self._lock.close()
        self._open = self._lock = None

    def read(self) -> KeptState | None:
        """Give what was kept, None for a new exchange. Raises ValueError for a damaged file."""
        try:
            return _parsed(json.loads(self._path.read_text()))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{self._path} was damaged ({error}); start with --fresh to begin anew") from error

    def write(self, state: KeptState) -> None:
        """Replace the file in one move; a reader sees the old or the new one."""
        draft = self._path.with_suffix(".new")
        draft.write_bytes(_text(state))
        draft.replace(self._path)
        if self._open is not None:
            os.close(self._open)
        self._open = os.open(self._path, os.O_WRONLY)

    def overwrite(self, state: KeptState) -> None:
        """Write over the file that `write` made: cheap enough for every step of the market (some 10 microseconds)."""
        assert self._open is not None, "write() comes first"  # noqa: S101 - a slip of the programmer
        os.pwrite(self._open, _text(state), 0)

    def erase(self) -> None:
        """Forget the exchange: ledger, clock, identity. The claim stays."""
        for path in self.folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name != LOCK_NAME:
                path.unlink()


def new_exchange_id() -> str:
    """Make an identity; the databases that trade here are bound to it."""
    return f"exchange-{secrets.token_hex(4)}"


def _text(state: KeptState) -> bytes:
    return json.dumps(asdict(state), default=str).encode().ljust(WIDTH)


def _parsed(kept: Mapping[str, Any]) -> KeptState:
    rest, ticker, control = (int(port) for port in kept["ports"])
    return KeptState(
        exchange_id=str(kept["exchange_id"]),
        day=date.fromisoformat(kept["day"]),
        seed=int(kept["seed"]),
        bars=str(kept["bars"]),
        now_ms=int(kept["now_ms"]),
        step=int(kept["step"]),
        is_finished=bool(kept["is_finished"]),
        ports=(rest, ticker, control),
        is_live=bool(kept.get("is_live", False)),
    )
