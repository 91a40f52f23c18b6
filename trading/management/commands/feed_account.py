"""`feed_account CLIENT_CODE`: name the broker account whose prices serve this installation."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from trading.models import BrokerAccount
from trading.services import consent, wiring
from trading.services.brokers import account_key
from trading.stack.options import add_state_dir


class Command(BaseCommand):
    """Whoever can run this on the server decides it; the holder agrees on the site."""

    help = "Name the connected broker account that market data is read with."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("client_code", help="the user id at Kite, like AB1234")
        add_state_dir(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Name it, and say what is left to do."""
        code: str = options["client_code"].strip().upper()
        account = BrokerAccount.objects.select_related("owner").filter(key=account_key(code), is_enabled=True).first()
        if account is None:
            raise CommandError(f"No broker account {code} is connected: its owner connects it on the site first.")
        feed = consent.appoint(account, clock=wiring.clock())
        self.stdout.write(f"{code} ({account.owner.email}) feeds the prices from now on.")
        if consent.standing_consent(feed) is None:
            self.stdout.write(f"Other clients see none of them until {account.owner.email} agrees at /settings/feed/.")
