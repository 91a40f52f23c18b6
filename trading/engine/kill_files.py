"""The kill switch that is a file: looked at before every send, and carried out from here, also without a database.

The file closes the gate from the moment at which it is there. What follows (cancel, square off, confirm) begins here;
the database learns of the press as soon as it can be reached. The file stays until a person raises the state.
"""

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from trading.domain.control import CommandKind, KillPath, press_key
from trading.domain.errors import StoreUnavailable
from trading.domain.kill_file import KillNote, Stopped, note_of, stopped_by
from trading.engine.house import House
from trading.engine.kill import KillSwitch
from trading.engine.tools import STORE_AGAIN, Tools
from trading.engine.work import first_of, happened
from trading.ports import Command, KillFile, KillPress

logger = logging.getLogger(__name__)

LOOKS_EVERY_S = 0.1
DIRECTORY = "the kill directory"
WAITS_FOR_STORE_S = 1.0
"""Wire seconds that the database gets to say whether this press was carried out already."""


@dataclass(frozen=True, slots=True)
class _InHand:
    """`is_ours`: it is neither finished nor begun by the command desk."""

    command_id: int
    is_ours: bool


class KillFileWatch:
    """See the module. `begun` are the commands that somebody here carries out; shared with the command desk."""

    def __init__(self, tools: Tools, house: House, kill: KillSwitch, begun: set[int]) -> None:
        self._tools = tools
        self._house = house
        self._kill = kill
        self._begun_commands = begun
        self._begun: set[tuple[str, str]] = set()
        self._told: set[str] = set()
        house.control.why_file = self.why_not

    # -- the gate's question ------------------------------------------------------------------------------------

    def why_not(self, client_id: int, account_key: str) -> str:
        """Say which kill file keeps this account from entering, empty for none. What is unclear keeps everybody."""
        files = self._tools.deps.kill_files
        if files is None:
            return ""
        try:
            names = files.names()
        except OSError as error:
            return f"the kill directory cannot be read: {error}"
        for name, stopped in self._stopped(names):
            if stopped is None:
                return f"the kill file {name} fits nobody, so it stops everybody"
            if stopped in (Stopped(), Stopped(client_id), Stopped(client_id, account_key)):
                return f"the kill file {name} is there"
        return ""

    def _stopped(self, names: tuple[str, ...]) -> Iterator[tuple[str, Stopped | None]]:
        if not names:
            return
        clients = {number: client.policy.label for number, client in self._house.clients.items()}
        accounts = {key: parts.desk.ref.client_id for key, parts in self._house.accounts.items()}
        for name in names:
            yield name, stopped_by(name, clients=clients, accounts=accounts)

    # -- carrying it out ----------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Look for ever."""
        if self._tools.deps.kill_files is None:
            return
        self._make()
        while True:
            self.look()
            await self._tools.clock.sleep(LOOKS_EVERY_S)

    def look(self) -> None:
        """Begin what is new, and call a person for what cannot be read."""
        files = self._tools.deps.kill_files
        if files is None:
            return
        try:
            found = list(self._stopped(files.names()))
            new = [(files.read(name), stopped) for name, stopped in found]
        except OSError as error:
            if self._is_news(DIRECTORY):
                self._tools.alarm(None, "KILL_DIRECTORY", f"no entries: the kill directory cannot be read ({error})")
            self._make()
            return
        self._told.discard(DIRECTORY)
        standing = {stopped for _, stopped in found if stopped is not None}
        self._house.stop_by_files(standing)
        for file, stopped in new:
            if file is None:
                continue
            if stopped is None:
                text = f"no entries: the kill file {file.name} fits no client and no account, so it stops everybody"
                if self._is_news(text):
                    self._tools.alarm(None, "KILL_FILE_UNKNOWN", text)
            elif (file.name, file.touched) not in self._begun:
                self._begun.add((file.name, file.touched))
                self._begin(file, stopped)

    def _make(self) -> None:
        files = self._tools.deps.kill_files
        try:
            if files is not None:
                files.prepare()
        except OSError as error:
            logger.warning("the kill directory could not be made: %s", error)

    def _is_news(self, text: str) -> bool:
        is_news = text not in self._told
        self._told.add(text)
        return is_news

    def _begin(self, file: KillFile, stopped: Stopped) -> None:
        note = note_of(file.text)
        logger.warning("the kill file %s is carried out", file.name)
        if not note.is_clear:
            text = f"what stands in the kill file {file.name} is not understood: positions go as each client chose"
            if self._is_news(text):
                self._tools.alarm(None, "KILL_FILE_UNCLEAR", text)
        self._tools.work.spawn(self._carry_out(file, note, stopped), f"kill file {file.name}", counts=False)

    async def _carry_out(self, file: KillFile, note: KillNote, stopped: Stopped) -> None:
        path = KillPath.COMMAND if note.press else KillPath.FILE
        press = KillPress(
            stopped.client_id,
            stopped.account_key,
            note.leave_positions,
            path,
            note.by or f"kill file {file.name}",
            press_key(None, stopped.client_id, stopped.account_key, note.press or file.touched),
        )
        self._house.control.press_unseen(stopped)
        failed = asyncio.Event()
        storing = asyncio.ensure_future(self._store(press, stopped, failed))
        try:
            await first_of(_ended(storing), happened(failed), self._tools.clock.sleep(WAITS_FOR_STORE_S))
            if storing.done() and not storing.result().is_ours:
                return
            clients = self._house.chosen(press.client_id)
            result = await self._kill.carry_out(self._command(press, file.touched_at), clients)
            command_id = (await storing).command_id
        finally:
            storing.cancel()
        store = self._tools.store
        await self._tools.until_stored(lambda: store.finish_command(command_id, result), "the end of a kill")

    async def _store(self, press: KillPress, stopped: Stopped, failed: asyncio.Event) -> "_InHand":
        """Tell the database, again and again; from then on its rows count."""
        tries = 0
        while True:
            try:
                stored = await self._tools.store.store_press(press)
                break
            except Exception as error:
                if not isinstance(error, StoreUnavailable):
                    logger.exception("a kill could not be stored")
            failed.set()
            tries += 1
            await self._tools.clock.sleep(STORE_AGAIN.wait_s(tries, 1.0))
        # Before anything else is awaited: the command desk must not begin it, too.
        is_ours = not stored.is_finished and stored.command_id not in self._begun_commands
        self._begun_commands.add(stored.command_id)
        self._house.control.press_stored(stopped)
        return _InHand(stored.command_id, is_ours)

    @staticmethod
    def _command(press: KillPress, asked_wall: datetime) -> Command:
        arguments: dict[str, Any] = {"leave_positions": press.leave_positions}
        if press.account_key:
            arguments["account_key"] = press.account_key
        return Command(0, CommandKind.KILL, press.client_id, arguments, asked_wall, press.path.value)


async def _ended(task: "asyncio.Future[Any]") -> None:
    await asyncio.wait([task])
