"""The kill directory on this machine's disk: `kill/` in the state directory. Needs no database, no Redis, no web.

A file there is a pressed kill switch, by its name alone (`touch var/kill/house`); what stands in it may say more.
"""

import shutil
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from trading.ports import KillFile
from trading.stores.durable import sync_folder, write_private

LONGEST_TEXT = 4096
"""Bytes of a file that are read."""


class DiskKillFiles:
    """Reads, writes and puts away kill files. Every method answers at once: the directory is on a local disk."""

    def __init__(self, state_dir: Path) -> None:
        self.folder = state_dir / "kill"
        self.put_away_in = state_dir / "kill-raised"

    def prepare(self) -> None:
        """Make the directory; its mode lets only its owner press. Raises OSError."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def names(self) -> tuple[str, ...]:
        """Give the names of the files; those that begin with a dot are nobody's. Raises OSError."""
        return tuple(sorted(path.name for path in self.folder.iterdir() if not path.name.startswith(".")))

    def read(self, name: str) -> KillFile | None:
        """Read one file; None when it is gone. One whose text cannot be read counts by its name."""
        path = self.folder / name
        try:
            found = path.stat(follow_symlinks=False)
        except FileNotFoundError:
            return None
        text = ""
        with suppress(OSError), path.open("rb") as file:
            text = file.read(LONGEST_TEXT).decode(errors="replace")
        touched_at = datetime.fromtimestamp(found.st_mtime_ns / 1e9, UTC)
        return KillFile(name, f"{found.st_ino}.{found.st_mtime_ns}", touched_at, text)

    def write(self, name: str, text: str) -> Path:
        """Press: a reader sees no file or the whole one, and it outlives a power cut. Raises OSError."""
        self.prepare()
        path = self.folder / name
        write_private(path, text)
        sync_folder(self.folder)
        return path

    def take_back(self, name: str) -> None:
        """Remove a file that should not have been written. Raises OSError."""
        (self.folder / name).unlink(missing_ok=True)

    def put_away(self, name: str, at: datetime) -> Path:
        """Move a file out of the directory once a person raised the state. Raises OSError."""
        self.put_away_in.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.put_away_in / f"{name}.{at:%Y%m%dT%H%M%S.%f}Z"
        shutil.move(self.folder / name, path)
        sync_folder(self.folder)
        return path
