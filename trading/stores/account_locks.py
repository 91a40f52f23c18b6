"""AccountLocks on files: one exclusive `flock` an account, freed by the kernel when its process ends, however it ends.

It holds where the database cannot be asked, between all processes that share the folder. A lock file is never removed:
two processes could then lock two files of one name.
"""

import asyncio
import fcntl
import logging
import os
from pathlib import Path
from urllib.parse import quote

from trading.ports import Clock
from trading.stores.process_marks import ProcessMark, kill_exactly, why_not_killable

logger = logging.getLogger(__name__)

LETS_GO_WITHIN_S = 2.0
"""Wire seconds that a holder which lost the lease gets to notice it and to end its session."""
LOOKS_EVERY_S = 0.1
MOST_MARK_BYTES = 1000


def file_stem(account_key: str) -> str:
    """Give the name of an account's files: the key, with what a path does not bear written as %XX."""
    return quote(account_key, safe="")


class FileAccountLocks:
    """See the port. `name` is what people read of this process; the folder is made when it is missing."""

    def __init__(self, folder: Path, name: str, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._me = ProcessMark.of_this_process(name)
        self._held: dict[str, int] = {}

    def holds(self, account_key: str) -> bool:
        """Say whether this process has the lock, and has it on the file that others would lock, too."""
        handle = self._held.get(account_key)
        return handle is not None and self._is_the_file(account_key, handle)

    async def take(self, account_key: str, *, ousts: bool) -> str:
        """Take the lock, with `ousts` from whoever lost the lease; see the port."""
        if self.holds(account_key):
            return ""
        self._free(account_key)
        try:
            return await self._take(account_key, ousts=ousts)
        except OSError as error:
            return f"the lock file of {account_key} cannot be used: {error}"

    async def release(self) -> None:
        """Let all locks go."""
        for account_key in list(self._held):
            self._free(account_key)

    # -- inside ------------------------------------------------------------------------------------------------

    async def _take(self, account_key: str, *, ousts: bool) -> str:
        if self._try(account_key):
            return ""
        if ousts and await self._is_let_go(account_key):
            return ""
        mark = self._mark_of(account_key)
        who = str(mark) if mark else "an unknown process"
        if not ousts:
            return f"{account_key} is held by {who}"
        hinders = why_not_killable(mark, self._me)
        if mark is not None and not hinders:
            logger.error("%s lost the lease and holds %s still: it is killed", mark, account_key)
            hinders = await asyncio.to_thread(kill_exactly, mark)
        if not hinders and self._try(account_key):
            return ""
        return f"{account_key} is held by {who}: {hinders or 'somebody else was faster'}"

    async def _is_let_go(self, account_key: str) -> bool:
        waited_s = 0.0
        while waited_s < LETS_GO_WITHIN_S:
            await self._clock.sleep(LOOKS_EVERY_S)
            waited_s += LOOKS_EVERY_S
            if self._try(account_key):
                return True
        return False

    def _try(self, account_key: str) -> bool:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(self._path(account_key), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return False
        except OSError:
            os.close(handle)
            raise
        if not self._is_the_file(account_key, handle):
            os.close(handle)
            return False
        os.ftruncate(handle, 0)
        os.pwrite(handle, self._me.text().encode(), 0)
        self._held[account_key] = handle
        return True

    def _free(self, account_key: str) -> None:
        handle = self._held.pop(account_key, None)
        if handle is not None:
            os.ftruncate(handle, 0)  # or somebody could be killed for a lock that another one has by then
            os.close(handle)

    def _mark_of(self, account_key: str) -> ProcessMark | None:
        with self._path(account_key).open("rb") as file:
            return ProcessMark.from_text(file.read(MOST_MARK_BYTES).decode(errors="replace"))

    def _is_the_file(self, account_key: str, handle: int) -> bool:
        """Say whether the open file still is the one in the folder: somebody may have tidied up."""
        try:
            there = self._path(account_key).stat()
        except OSError:
            return False
        ours = os.fstat(handle)
        return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)

    def _path(self, account_key: str) -> Path:
        return self._folder / f"{file_stem(account_key)}.lock"
