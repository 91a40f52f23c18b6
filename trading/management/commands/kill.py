"""`kill`: press the kill switch of one client, one account, or the whole house. The file first, then the database."""

from argparse import ArgumentParser
from secrets import token_urlsafe
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from trading.domain.control import KillPath
from trading.domain.errors import TradingError
from trading.domain.kill_file import account_file, client_file, house_file, note_text
from trading.models import BrokerAccount, Client
from trading.services import wiring
from trading.services.control import press_kill
from trading.services.running_stack import StackFile
from trading.stack.options import add_state_dir

NOTHING, UNKNOWN, FILE_ONLY, DATABASE_ONLY = 1, 2, 3, 4


class Command(BaseCommand):
    """Two ways at once, so that it counts while the database is away, and also when no process runs to see it."""

    help = (
        "Press the kill switch: no new entries at once; open positions are closed unless told otherwise. "
        "Exit codes: 0 pressed in both ways; 3 the kill file alone (the database did not answer); 4 the database "
        "alone (the file could not be written); 2 nobody has that name; 1 NOT pressed."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        whom = parser.add_mutually_exclusive_group(required=True)
        whom.add_argument("--client", metavar="EMAIL", help="this client, all accounts")
        whom.add_argument("--account", metavar="KEY", help="one account, as kite:AB1001")
        whom.add_argument("--all", action="store_true", help="everybody")
        parser.add_argument("--leave-positions", action="store_true", help="stop entries, keep what is open")
        add_state_dir(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Press it, and say what happened where."""
        press, leaves = token_urlsafe(12), options["leave_positions"] or None
        name = _file_name(options)
        is_written = self._write(name, note_text(leave_positions=leaves, by="command line", press=press))
        try:
            client, account = _whom(options)
            press_kill(
                client,
                None,
                clock=wiring.clock(),
                account=account,
                leave_positions=leaves,
                path=KillPath.COMMAND,
                press=press,
            )
        except (Client.DoesNotExist, BrokerAccount.DoesNotExist) as error:
            wiring.kill_files().take_back(name)
            raise CommandError(f"Nobody has that name, nothing was stopped: {error}", returncode=UNKNOWN) from error
        except (DatabaseError, TradingError) as error:
            self._without_database(error, is_written=is_written)
        whom = options["client"] or options["account"] or "everybody"
        self.stdout.write(f"Database: kill switch pressed for {whom}: no new entry passes from now on.")
        then = "are left as they are, with their stops and the square-off" if leaves else "are squared off as chosen"
        self.stdout.write(f"The engine cancels working entries; open positions {then}.")
        if not StackFile(settings.STATE_DIR).is_running():
            self.stderr.write(f"Note: no run_stack runs in {settings.STATE_DIR}; another engine must see to the exits.")
        if not is_written:
            raise CommandError("Pressed in the database only: the kill file is missing.", returncode=DATABASE_ONLY)

    def _write(self, name: str, text: str) -> bool:
        try:
            path = wiring.kill_files().write(name, text)
        except OSError as error:
            self.stderr.write(f"Kill file: NOT written, {error}")
            return False
        self.stdout.write(f"Kill file: {path}. The engine's gate looks there before every order.")
        return True

    def _without_database(self, error: Exception, *, is_written: bool) -> None:
        if not is_written:
            text = f"The kill switch was NOT pressed: no file, and the database refused: {error}"
            raise CommandError(text, returncode=NOTHING) from error
        self.stderr.write(f"Database: it did not take the press ({error}).")
        text = "Pressed by the kill file alone: a running engine carries it out and tells the database when it is back."
        raise CommandError(text, returncode=FILE_ONLY) from error


def _file_name(options: dict[str, Any]) -> str:
    if options["account"]:
        return account_file(options["account"])
    return client_file(options["client"]) if options["client"] else house_file()


def _whom(options: dict[str, Any]) -> tuple[Client | None, BrokerAccount | None]:
    if options["account"]:
        account = BrokerAccount.objects.select_related("owner__client").get(key=options["account"])
        return Client.objects.select_related("user").get(user=account.owner), account
    if options["client"]:
        return Client.objects.select_related("user").get(user__email__iexact=options["client"]), None
    return None, None
