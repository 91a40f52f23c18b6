"""Reads the control rows and carries out the commands that pages, Beat and the command line wrote."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from trading.domain.backoff import Backoff
from trading.domain.control import CommandKind
from trading.domain.errors import StoreUnavailable
from trading.domain.orders import Purpose
from trading.engine.adopt_command import AdoptCommand
from trading.engine.client import ClientBook
from trading.engine.flatten import Flattener, FlattenOrder
from trading.engine.house import House
from trading.engine.kill import KillSwitch
from trading.engine.kill_files import KillFileWatch
from trading.engine.square_off import SquareOffPlanner
from trading.engine.tools import Tools
from trading.engine.work import first_of, happened
from trading.ports import Command, ControlView

logger = logging.getLogger(__name__)

POLLS_EVERY_S = 0.1


class CommandDesk:
    """Each command is begun once a life of the engine; one that a crash cut short is begun again by the next."""

    def __init__(
        self,
        tools: Tools,
        house: House,
        *,
        kill: KillSwitch,
        planner: SquareOffPlanner,
        flattener: Flattener,
        reload_plans: Callable[[], Awaitable[None]],
        control: Callable[[], Awaitable[ControlView]],
    ) -> None:
        self._tools = tools
        self._house = house
        self._kill = kill
        self._planner = planner
        self._flattener = flattener
        self._adopt = AdoptCommand(tools, house)
        self._reload_plans = reload_plans
        self._control = control
        self._begun: set[int] = set()
        self.kill_files = KillFileWatch(tools, house, kill, self._begun)
        self._again = Backoff(first_s=1.0, most_s=30.0)
        self._reading = asyncio.Lock()

    async def run(self) -> None:
        """Read for ever, at once when somebody says that a command was written."""
        wake = self._tools.deps.wake
        while True:
            await self.read()
            if wake is None:
                await self._tools.clock.sleep(POLLS_EVERY_S)
            else:
                await first_of(happened(wake), self._tools.clock.sleep(POLLS_EVERY_S))
                wake.clear()

    async def read(self) -> None:
        """Take over the control rows and begin what is new."""
        async with self._reading:
            try:
                view = await self._control()
            except StoreUnavailable as error:
                logger.warning("the control rows could not be read: %s", error)
                return
            self._house.note_control(view)
            for command in view.commands:
                if command.command_id not in self._begun:
                    self._begun.add(command.command_id)
                    self._begin(command)

    def _begin(self, command: Command) -> None:
        # Only a reload is work that the market waits for as a whole: the others wait for fills, which the
        # market may give only when it moves on.
        counts = command.kind is CommandKind.RELOAD
        name = f"command {command.command_id} {command.kind}"
        self._tools.work.spawn(self._carry_out(command), name, counts=counts)

    async def _carry_out(self, command: Command) -> None:
        result = await self._until_done(command)

        async def store() -> None:
            await self._tools.journal.flush()
            await self._tools.store.finish_command(command.command_id, result)

        await self._tools.until_stored(store, f"the end of command {command.command_id}")

    async def _until_done(self, command: Command) -> dict[str, Any]:
        """Do it, again and again if it fails: what a person asked for is not dropped."""
        tries = 0
        while True:
            try:
                return await self._do(command)
            except Exception as error:
                logger.exception("command %s %s failed", command.command_id, command.kind)
                if not tries:
                    text = f"the command {command.kind} failed and is tried again: {error!r}"
                    self._tools.alarm(command.client_id, "COMMAND_FAILED", text)
            tries += 1
            await self._tools.clock.sleep(self._again.wait_s(tries, 1.0))

    async def _do(self, command: Command) -> dict[str, Any]:
        clients = self._house.chosen(command.client_id)
        if not clients and command.kind is not CommandKind.RELOAD:
            await self._reload_plans()  # a client that came after the day was loaded
            clients = self._house.chosen(command.client_id)
        if command.kind is CommandKind.KILL:
            return await self._kill.carry_out(command, clients)
        if command.kind is CommandKind.SQUARE_OFF:
            return await self._square_off(command, clients)
        if command.kind is CommandKind.EXIT_POSITION:
            return await self._exit_position(command)
        if command.kind is CommandKind.ADOPT:
            return await self._adopt.carry_out(command)
        await self._reload_plans()
        return {"reloaded": True}

    async def _square_off(self, command: Command, clients: list[ClientBook]) -> dict[str, Any]:
        """Square off everything, or with `only_due` what is due by the plans of the day."""
        reason = {"rule": "square-off command", "command": command.command_id}
        if command.arguments.get("only_due"):
            await asyncio.gather(*(self._planner.square_off_due(client) for client in clients))
        else:
            await asyncio.gather(*(self._planner.square_off(client, reason) for client in clients))
        return {"flat": True}

    async def _exit_position(self, command: Command) -> dict[str, Any]:
        account, instrument = str(command.arguments["account_key"]), str(command.arguments["instrument"])
        parts = self._house.accounts.get(account)
        if parts is None or parts.desk.ref.client_id != command.client_id:
            return {"flat": False, "reason": f"{account} is not an account of this client"}
        client = self._house.clients[parts.desk.ref.client_id]
        reason = {"rule": "exit asked for by hand", "command": command.command_id}
        order = FlattenOrder(client, Purpose.MANUAL_EXIT, reason, instrument.__eq__, account, ends_day=False)
        await self._flattener.flatten(order)
        return {"flat": True}
