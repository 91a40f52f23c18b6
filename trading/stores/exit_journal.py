"""ExitJournal on files: one append-only file an account, every line on the disk before anybody hears that it is."""

import asyncio
import logging
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from trading.domain.errors import JournalUnavailable
from trading.domain.exit_journal import (
    JournaledExit,
    JournalText,
    ahead_line,
    imported_line,
    outcome_line,
    pending_exits,
    read_journal,
)
from trading.domain.orders import IntentState
from trading.ports import AccountLocks
from trading.stores.account_locks import file_stem
from trading.stores.durable import sync_folder

logger = logging.getLogger(__name__)

T = TypeVar("T")


class FileExitJournal:
    """See the port. Only the holder of an account's lock writes its file; it is written on a thread of its own."""

    def __init__(self, folder: Path, locks: AccountLocks) -> None:
        self._folder = folder
        self._locks = locks
        self._handles: dict[str, int] = {}
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="exit journal")

    async def write_ahead(self, exit_: JournaledExit) -> None:
        """Return once the exit is on the disk."""
        await self._do(lambda: self._append(exit_.account, ahead_line(exit_)))

    async def note(self, account_key: str, tag: str, state: IntentState, *, order_id: str, words: str) -> None:
        """Add what became of an exit."""
        line = outcome_line(tag, state, order_id=order_id, words=words)
        await self._do(lambda: self._append(account_key, line))

    async def pending(self, account_key: str) -> list[JournaledExit]:
        """Give what the database does not have yet."""
        text = await self._do(lambda: self._read(account_key))
        if text.damaged:
            logger.error("%s lines of the exit journal of %s are damaged", text.damaged, account_key)
        return pending_exits(text.lines)

    async def imported(self, account_key: str, tag: str, state: IntentState) -> None:
        """Note that the database has an exit in this state."""
        await self._do(lambda: self._append(account_key, imported_line(tag, state)))

    def close(self) -> None:
        """End the thread and close the files."""
        self._thread.shutdown()
        for account_key in list(self._handles):
            self._forget(account_key)

    # -- on the thread -----------------------------------------------------------------------------------------

    async def _do(self, work: Callable[[], T]) -> T:
        def guarded() -> T:
            try:
                return work()
            except OSError as error:
                raise JournalUnavailable(f"the exit journal cannot be used: {error}") from error

        return await asyncio.get_running_loop().run_in_executor(self._thread, guarded)

    def _append(self, account_key: str, line: bytes) -> None:
        """Add one line and have it on the disk, or leave the file as it was."""
        if not self._locks.holds(account_key):
            self._forget(account_key)
            raise JournalUnavailable(f"this process does not hold the lock file of {account_key}")
        handle = self._opened(account_key)
        length = os.lseek(handle, 0, os.SEEK_END)
        try:
            if os.write(handle, line) != len(line):
                raise OSError("the disk took only a part of the line")
            os.fsync(handle)
        except OSError:
            # What failed to reach the disk is not tried again on the same handle: the kernel tells an error once.
            self._cut(handle, length)
            self._forget(account_key)
            raise

    def _opened(self, account_key: str) -> int:
        if account_key not in self._handles:
            self._handles[account_key] = self._open(account_key)
        return self._handles[account_key]

    def _open(self, account_key: str) -> int:
        """Open the file, made and cleared of a torn end where that is needed, and have its name on the disk."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(self._path(account_key), os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            whole = self._read(account_key).whole_bytes
            if whole != os.fstat(handle).st_size:
                os.ftruncate(handle, whole)
            os.fsync(handle)
            for folder in (self._folder, self._folder.parent):
                sync_folder(folder)
        except OSError:
            os.close(handle)
            raise
        return handle

    def _read(self, account_key: str) -> JournalText:
        try:
            return read_journal(self._path(account_key).read_bytes())
        except FileNotFoundError:
            return read_journal(b"")

    @staticmethod
    def _cut(handle: int, length: int) -> None:
        try:
            os.ftruncate(handle, length)
        except OSError:
            logger.exception("a line that did not reach the disk could not be cut off the exit journal")

    def _forget(self, account_key: str) -> None:
        handle = self._handles.pop(account_key, None)
        if handle is not None:
            os.close(handle)

    def _path(self, account_key: str) -> Path:
        return self._folder / f"{file_stem(account_key)}.journal"
