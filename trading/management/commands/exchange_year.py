"""`exchange_year`: what a seeded year of the simulated exchange holds, a line a day."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from trading.exchange.days import DEFAULT_SEED
from trading.exchange.market.year import DayNote, year_notes

SHOWN_LOCKS = 4


class Command(BaseCommand):
    """Tell gaps, news, locks and silent days."""

    help = "What a year of the generated market holds: gaps, news, locks at a circuit, days without a trade."
    requires_system_checks = []
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--seed", type=int, default=DEFAULT_SEED, help="the market's seed (default %(default)s)")
        parser.add_argument("--year", type=int, default=2026, help="a year of the calendar (default %(default)s)")
        parser.add_argument(
            "--symbol", action="append", default=[], help="only days on which something befalls this share of NSE"
        )
        parser.add_argument(
            "--json", action="store_true", help="a JSON object a line, with every lock and silent share"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the days. Whatever is wrong with the options is one sentence."""
        try:
            for note in year_notes(options["seed"], options["year"], options["symbol"]):
                self.stdout.write(json.dumps(note.as_json()) if options["json"] else _line(note))
        except ValueError as error:
            raise CommandError(str(error)) from error


def _line(note: DayNote) -> str:
    parts = [f"{note.day:%Y-%m-%d %a}  gap {note.gap_percent:+.2f} %  close {note.close_percent:+.2f} %"]
    parts += [f"news {symbol} {percent:+.1f} %" for symbol, percent in note.news.items()]
    if note.locks:
        shown = ", ".join(f"{lock.symbol} {lock.side}" for lock in note.locks[:SHOWN_LOCKS])
        parts.append(f"{len(note.locks)} locked: {shown}{', ...' if len(note.locks) > SHOWN_LOCKS else ''}")
    if note.silent:
        parts.append(f"{len(note.silent)} without a trade")
    return "  ".join(parts)
