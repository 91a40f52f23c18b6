"""`kill`: press the kill switch of one client, or of the whole house."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from trading.domain.errors import TradingError
from trading.models import Client
from trading.services import wiring
from trading.services.control import press_kill
from trading.services.running_stack import StackFile
from trading.stack.options import add_state_dir


class Command(BaseCommand):
    """The switch is a committed row: it counts even when no process runs to see it."""

    help = "Press the kill switch: no new entries at once; open positions are closed unless told otherwise."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        whom = parser.add_mutually_exclusive_group(required=True)
        whom.add_argument("--client", metavar="EMAIL", help="this client")
        whom.add_argument("--all", action="store_true", help="everybody")
        parser.add_argument("--leave-positions", action="store_true", help="stop entries, keep what is open")
        add_state_dir(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Press it, and say what happens next."""
        try:
            client = _client(options["client"]) if options["client"] else None
            press_kill(client, None, clock=wiring.clock(), leave_positions=options["leave_positions"] or None)
        except TradingError as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            raise CommandError(f"The kill switch was NOT pressed, the database refused: {error}") from error
        whom = options["client"] or "everybody"
        self.stdout.write(f"Kill switch pressed for {whom}: no new entry passes from now on.")
        if options["leave_positions"]:
            self.stdout.write("Open positions are left as they are, with their stops and the square-off.")
        else:
            self.stdout.write("The engine cancels working entries and squares off as chosen.")
        if not StackFile(settings.STATE_DIR).is_running():
            self.stderr.write(f"Note: no run_stack runs in {settings.STATE_DIR}; another engine must see to the exits.")


def _client(email: str) -> Client:
    client = Client.objects.select_related("user").filter(user__email__iexact=email).first()
    if client is None:
        raise CommandError(f"No client has the e-mail {email}.")
    return client
