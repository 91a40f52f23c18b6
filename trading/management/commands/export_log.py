"""`export_log`: a client's event log as JSON lines with hashes, for an auditor."""

from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from trading.models import EventChain
from trading.services.clients import find_client
from trading.services.log_export import export_lines
from trading.stores.locks import chain_name


class Command(BaseCommand):
    """To a file, or to the standard output; in constant memory."""

    help = "Export a client's event log as JSON lines; scripts/check_export.py checks the file without our code."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("client", metavar="CLIENT", help="e-mail address or number; `house` for the house's chain")
        parser.add_argument("--from", dest="first", type=date.fromisoformat, metavar="DAY", help="first market day")
        parser.add_argument(
            "--to", dest="last", type=date.fromisoformat, metavar="DAY", help="last market day, included"
        )
        parser.add_argument("--out", type=Path, metavar="FILE", help="a new file; without it the standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write it."""
        lines = export_lines(_chain(options["client"]), first=options["first"], last=options["last"])
        if options["out"] is None:
            for line in lines:
                self.stdout.write(line, ending="")
            return
        try:
            with options["out"].open("x") as file:
                file.writelines(lines)
        except FileExistsError:
            raise CommandError(f"{options['out']} exists already; an export never overwrites a file.") from None


def _chain(whom: str) -> EventChain:
    client = None if whom == "house" else find_client(whom)
    if client is None and whom != "house":
        raise CommandError(f"No client is called {whom}.", returncode=2)
    chain = EventChain.objects.filter(name=chain_name(client.pk if client else None)).first()
    if chain is None:
        raise CommandError(f"Nothing was logged of {whom} yet.")
    return chain
