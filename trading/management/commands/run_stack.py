"""`run_stack`: everything on one machine, under one supervisor."""

import asyncio
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from trading.domain.errors import ConfigurationError
from trading.stack.console import Console, wants_colour
from trading.stack.options import StackOptions, add_arguments
from trading.stack.ports import NoFreePort, terminal_question
from trading.stack.run import StackRun, choose_web_port, claim, external_redis


class Command(BaseCommand):
    """Run until Ctrl-C or SIGTERM."""

    help = "Start the whole system: Redis, simulated exchange, web, worker, beat, ticker, strategy, sentinel."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        add_arguments(parser)

    def handle(self, *args: Any, **given: Any) -> None:
        """Refuse what cannot be, then supervise."""
        options = StackOptions.from_command(given, state_dir=settings.STATE_DIR)
        if options.is_fresh and not options.has_exchange:
            raise CommandError("--fresh empties a demo; it does not go together with --no-exchange.")
        if options.is_paper and not options.has_exchange:
            raise CommandError("--paper brings an exchange of its own; it does not go together with --no-exchange.")
        try:
            file = claim(options.state_dir)
            port = choose_web_port(options, usual=settings.PORT, ask=terminal_question(), tell=self.stdout.write)
        except (ConfigurationError, NoFreePort) as error:
            raise CommandError(str(error)) from error
        console = Console(options.state_dir / "log" / "stack.log", is_coloured=wants_colour())

        async def supervise() -> int:
            return await StackRun(options, file, console, port=port, redis_url=external_redis()).run()

        try:
            code = asyncio.run(supervise())
        except ConfigurationError as error:
            raise CommandError(str(error)) from error
        finally:
            console.close()
        if code:
            raise SystemExit(code)
