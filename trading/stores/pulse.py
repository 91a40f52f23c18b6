"""Pulse on a file a shard: who holds it is its text, each beat a new time stamp of the file.

A time stamp needs no room on the disk, so a full one does not make a living holder look dead. It is only ever compared
with the one seen before, never with a clock.
"""

import asyncio
import json
import logging
import os
from pathlib import Path

from trading.ports import PulseView
from trading.stores.account_locks import file_stem
from trading.stores.durable import write_private

logger = logging.getLogger(__name__)


class FilePulse:
    """See the port. The folder is the lock files'."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._written: tuple[str, str, int] | None = None

    async def beat(self, shard: str, holder: str, epoch: int) -> None:
        """Stamp the file, on a thread: a disk that hangs keeps no exit waiting."""
        await asyncio.to_thread(self._beat, shard, holder, epoch)

    async def look(self, shard: str) -> PulseView | None:
        """Read the file."""
        return await asyncio.to_thread(self._look, shard)

    def _beat(self, shard: str, holder: str, epoch: int) -> None:
        path = self._path(shard)
        try:
            if self._written == (shard, holder, epoch):
                os.utime(path)
                return
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_private(path, json.dumps({"holder": holder, "epoch": epoch}))
            self._written = (shard, holder, epoch)
        except OSError as error:
            self._written = None
            logger.warning("the sign of life of %s could not be left at %s: %s", shard, path, error)

    def _look(self, shard: str) -> PulseView | None:
        path = self._path(shard)
        try:
            told, stamp = json.loads(path.read_text()), path.stat().st_mtime_ns
            return PulseView(str(told["holder"]), int(told["epoch"]), stamp)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            logger.warning("the sign of life at %s cannot be read: %s", path, error)
            return None

    def _path(self, shard: str) -> Path:
        return self._folder / f"{file_stem(shard)}.pulse"
