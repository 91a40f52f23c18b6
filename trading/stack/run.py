"""One run of `run_stack`, from the lock on the state directory to the last process that ends."""

import asyncio
import json
import os
import signal
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import redis
from django.urls import reverse
from redis.exceptions import RedisError

from trading.clock.live import LiveClock
from trading.domain.errors import ConfigurationError
from trading.exchange.state import StateFile
from trading.services.running_stack import StackFile, StackRunning
from trading.stack.console import Console
from trading.stack.embedded_redis import configure
from trading.stack.options import StackOptions
from trading.stack.ports import LOOPBACK, choose_port, free_port
from trading.stack.process import StartFailed, pause_before
from trading.stack.programs import (
    base_environment,
    exchange_environment,
    exchange_program,
    preparation,
    product_programs,
)
from trading.stack.supervisor import Supervisor
from trading.stores.durable import write_private

Answer = TypeVar("Answer")
READY_WITHIN_S = 240.0
POLL_S = 0.05
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(Exception):
    """A signal came while the stack was still starting."""


def claim(state_dir: Path) -> StackFile:
    """Take the state directory for this process. Raises ConfigurationError when a stack runs there already."""
    file = StackFile(state_dir)
    try:
        file.lock()
    except StackRunning as error:
        other = file.read()
        who = f" (process {other.pid}, {other.url})" if other else ""
        raise ConfigurationError(
            f"A stack is running in {state_dir} already{who}. Stop it with `python manage.py stack stop`, "
            "or give this one a --state-dir of its own."
        ) from error
    return file


def choose_web_port(
    options: StackOptions, *, usual: int, ask: Callable[[str], str] | None, tell: Callable[[str], None]
) -> int:
    """Give the port of the pages; a taken one is named and another chosen, or asked for."""
    return choose_port(options.port or usual, ask=ask, tell=tell)


class StackRun:
    """Starts, waits, stops. `redis_url` is the external server's address, or empty for the embedded one."""

    def __init__(self, options: StackOptions, file: StackFile, console: Console, *, port: int, redis_url: str) -> None:
        self._options = options
        self._console = console
        self._port = port
        self._redis_url = redis_url
        self._clock = LiveClock()
        self._supervisor = Supervisor(
            file,
            on_line=console.line,
            started_at=self._clock.wall().isoformat(),
            pauses=partial(pause_before, longest_s=options.longest_pause_s),
        )
        self._supervisor.url = f"http://{LOOPBACK}:{port}"
        self._stop = asyncio.Event()

    async def run(self) -> int:
        """Run until a signal; gives the exit code, 0 after a wished end and 1 when the start failed."""
        for number in STOP_SIGNALS:
            if number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
                continue  # started by nohup: the end of the terminal is not ours
            asyncio.get_running_loop().add_signal_handler(number, self._stop.set)
        code = 0
        try:
            await self._start()
            self._welcome()
            await self._stop.wait()
        except Stopped:
            pass
        except StartFailed as error:
            self._console.say(f"The stack could not start: {error}. The lines above say why.")
            code = 1
        finally:
            self._console.say("Stopping: the engine first, then everything else.")
            await self._supervisor.stop()
            self._console.say("Stopped; nothing is left running.")
        return code

    async def _start(self) -> None:
        supervisor, options = self._supervisor, self._options
        await supervisor.open()
        supervisor.environment = base_environment(options, port=self._port, redis_url=self._redis_url)
        programs = product_programs(port=self._port)
        supervisor.expect([*(["exchange"] if options.has_exchange else []), *(program.name for program in programs)])
        if not self._redis_url:
            await self._start_redis()
        previous_venue = kept_exchange_id(options.state_dir)  # before --fresh makes another one
        info = await self._start_exchange() if options.has_exchange else None
        await self._prepare(info, previous_venue=previous_venue)
        for program in programs:
            await supervisor.start(program)
        await self._until(self._web_answers, "web")

    async def _start_redis(self) -> None:
        folder = self._options.state_dir / "valkey"
        embedded = configure(folder, port=free_port())
        self._supervisor.environment["REDIS_URL"] = self._redis_url = embedded.url
        await self._supervisor.start(embedded.program)
        await self._until(self._redis_answers, "redis")

    async def _start_exchange(self) -> dict[str, Any]:
        redirect = f"http://{LOOPBACK}:{self._port}{reverse('kite-callback')}"
        program = exchange_program(self._options, redirect_url=redirect)
        child = await self._supervisor.start(program)
        info: dict[str, Any] = json.loads(await self._or_stopped(child.announcement()))
        self._supervisor.environment.update(exchange_environment(info, is_paper=self._options.is_paper))
        return info

    async def _prepare(self, info: Mapping[str, Any] | None, *, previous_venue: str) -> None:
        path = self._options.state_dir / "run" / "exchange.json"
        if info is not None:
            write_private(path, json.dumps(info))
        program = preparation(
            exchange_info=path if info is not None else None,
            is_fresh=self._options.is_fresh,
            previous_venue=previous_venue,
        )
        try:
            answer = await self._or_stopped(self._supervisor.run_once(program))
        finally:
            with suppress(FileNotFoundError):
                path.unlink()  # the exchange's API secrets were in it
        self._supervisor.venue = answer["venue"]
        self._supervisor.sign_in = answer["sign_in"]

    async def _redis_answers(self) -> bool:
        with redis.Redis.from_url(self._redis_url, socket_timeout=1, socket_connect_timeout=1) as client:
            try:
                return bool(client.ping())
            except RedisError:
                return False

    async def _web_answers(self) -> bool:
        try:
            _, writer = await asyncio.open_connection(LOOPBACK, self._port)
        except OSError:
            return False
        writer.close()
        return True

    async def _until(self, is_ready: Callable[[], Awaitable[bool]], name: str) -> None:
        """Wait until a process answers; a start that takes very long has failed."""
        deadline = self._clock.monotonic() + READY_WITHIN_S
        while not await is_ready():
            if self._stop.is_set():
                raise Stopped
            if self._clock.monotonic() > deadline:
                raise StartFailed(f"{name} did not answer within {READY_WITHIN_S:g} s")
            await asyncio.sleep(POLL_S)

    async def _or_stopped(self, work: Awaitable[Answer]) -> Answer:
        """Wait for the work, or raise Stopped when a signal comes first."""
        task, stop = asyncio.ensure_future(work), asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise Stopped
            return task.result()
        finally:
            stop.cancel()
            if not task.done():
                task.cancel()
                await asyncio.wait({task})

    def _welcome(self) -> None:
        supervisor = self._supervisor
        lines = ["", f"  AlgoSystem is running: open {supervisor.url} in your browser."]
        if supervisor.sign_in:
            lines.append("  Sign in as:")
            lines += [
                f"    {person['email']:<24} password {person['password']}   ({person.get('role', 'client')})"
                for person in supervisor.sign_in
            ]
        elif self._options.is_paper:
            lines.append(f"  On paper: real prices, no real money. Sign up at {supervisor.url}/accounts/signup/")
        else:
            lines.append(f"  Live trading. Sign up at {supervisor.url}/accounts/signup/")
        lines += ["  Ctrl-C stops everything; `python manage.py stack status` shows it.", ""]
        self._console.say("\n".join(lines))


def kept_exchange_id(state_dir: Path) -> str:
    """Give the id of the exchange whose files lie here, empty when there is none or they cannot be read."""
    try:
        kept = StateFile(state_dir / "exchange").read()
    except (ValueError, KeyError, TypeError):
        return ""
    return kept.exchange_id if kept else ""


def external_redis() -> str:
    """Give the server that the environment names, empty when the embedded one is wanted."""
    return os.environ.get("REDIS_URL", "").strip()
