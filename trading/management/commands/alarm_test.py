"""`alarm_test`: send a test alarm by every channel and say which one worked."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.db.models import QuerySet

from trading.models import Alarm, AlarmDelivery, Channel, Client
from trading.services import wiring
from trading.services.alarms.channels import SENDS_WITHIN_S
from trading.services.alarms.post import Sender
from trading.services.alarms.trial import send_test_alarm
from trading.stack.options import add_state_dir


class Command(BaseCommand):
    """This process sends it itself, whatever else runs: what is tried is mail server and program."""

    help = "Send a test alarm by mail and program; exit code 1 when one of them did not take it."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--client", metavar="EMAIL", help="also to this client; otherwise to the operators")
        add_state_dir(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Send it, wait, and tell."""
        clock = wiring.clock()
        try:
            alarm = send_test_alarm(_client(options["client"]), None, clock)
            deadline = clock.monotonic() + SENDS_WITHIN_S + 2
            sender = Sender(clock)
            while clock.monotonic() < deadline and _rows(alarm).filter(tries=0, delivered_at=None).exists():
                sender.step()
                sender.wait(1.0)
            sender.wait(SENDS_WITHIN_S)
            sender.step()
            rows = list(_rows(alarm))
        except DatabaseError as error:
            raise CommandError(f"The database refused: {error}") from error
        for row in rows:
            self.stdout.write(f"{row.channel:8} {row.recipient:40} {row.state} {row.last_error}".rstrip())
        if not rows:
            raise CommandError("Nobody is there to tell: no operator, no ALARM_MAIL_TO, no ALARM_PROGRAM.")
        failed = [row for row in rows if row.delivered_at is None]
        if failed:
            raise CommandError(f"{len(failed)} of {len(rows)} messages did not leave.")


def _rows(alarm: Alarm) -> QuerySet[AlarmDelivery]:
    return AlarmDelivery.objects.filter(alarm=alarm).exclude(channel=Channel.PAGE).order_by("channel", "recipient")


def _client(email: str | None) -> Client | None:
    if email is None:
        return None
    client = Client.objects.select_related("user").filter(user__email__iexact=email).first()
    if client is None:
        raise CommandError(f"No client has the e-mail {email}.")
    return client
