"""`migrate`, but not under an engine of another build in market hours."""

from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands.migrate import Command as MigrateCommand

from trading.clock.live import LiveClock
from trading.services.release import release_problem


class Command(MigrateCommand):
    """Django's own, behind the release lock."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Bring the tables up to date. Raises CommandError in market hours while another build trades."""
        if problem := release_problem(LiveClock().wall()):
            raise CommandError(f"Nothing was migrated: {problem}.")
        super().handle(*args, **options)
