"""`python manage.py simulate --days N --seed S`: simulated trading days (docs/simulation.md). No database, no Redis."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from trading.ports import EngineEvent
from trading.simulation.day import DayResult, play
from trading.simulation.many import SHOWN_VIOLATIONS, DayReport, Tally, quiet, report_of, run
from trading.simulation.weather import Weather, draw


class Command(BaseCommand):
    """Play days and judge them; exit 1 when an invariant was broken, with the command that replays each such day."""

    help = "Play simulated trading days from a seed on and hold every invariant against the exchange's ledger."
    requires_system_checks: list[str] = []  # nothing of the installation is needed

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Say how many days, from which seed, and what to print."""
        parser.add_argument("--days", type=int, default=100)
        parser.add_argument("--seed", type=int, default=0, help="of the first day; the next ones count on from it")
        parser.add_argument("--faults", default="", help="only these faults of the model, on every day: F11,F24")
        parser.add_argument("--jobs", type=int, default=1, help="processes that play at the same time")
        parser.add_argument("--json", action="store_true", help="print the result as JSON, as the last line")
        parser.add_argument(
            "--counts", action="store_true", help="with how often each rule was looked at, fault by fault"
        )
        parser.add_argument("--show", action="store_true", help="one day: its weather, its log, its violations")
        parser.add_argument("--weather", type=Path, help="one day under the weather of a regression file")

    def handle(self, *args: Any, **options: Any) -> None:
        """Play. Raises CommandError for a fault or a file that there is not."""
        quiet()
        faults = tuple(word for word in options["faults"].upper().split(",") if word)
        try:
            weather = _read(options["weather"]) if options["weather"] else draw(options["seed"], faults)
        except (ValueError, KeyError, TypeError, OSError) as error:
            raise CommandError(str(error)) from error
        if options["show"] or options["weather"]:
            day = play(options["seed"], weather)
            self._show(day)
            days = iter([report_of(day)])
        else:
            days = run(options["days"], options["seed"], faults=faults, jobs=options["jobs"])
        whole = Tally()
        for report in days:
            whole.add(report)
            if report.violations:
                self._tell(report, options)
        counts = whole.counts() if options["counts"] or options["show"] else {}
        if options["json"]:
            self.stdout.write(json.dumps({**whole.result(), **counts}))
        else:
            self.stdout.write(f"{whole.days} days, {whole.violations} violations, hash {whole.result()['hash']}")
            for name, value in counts.items():
                self.stdout.write(f"{name}: {json.dumps(value)}")
        if whole.failing:
            sys.exit(1)

    def _tell(self, day: DayReport, options: dict[str, Any]) -> None:
        """Name a failing day at once, with the command that plays it again."""
        more = f" --faults {options['faults']}" if options["faults"] else ""
        more += f" --weather {options['weather']}" if options["weather"] else ""
        self.stdout.write(f"seed {day.seed} failed: python manage.py simulate --seed {day.seed} --days 1{more} --show")
        for word in day.violations[:SHOWN_VIOLATIONS]:
            self.stdout.write(f"    {word}")
        self.stdout.flush()

    def _show(self, day: DayResult) -> None:
        """Print a day's weather and log, its violations where they happened."""
        self.stdout.write(json.dumps({"seed": day.seed, "weather": day.weather.to_json()}, indent=1))
        for event in day.events:
            self.stdout.write(_line(event))
        for one in day.violations:
            self.stdout.write(f"VIOLATION {one.rule} at {one.at}: {one.text}")


def _line(event: EngineEvent) -> str:
    told = json.dumps(event.data, default=str, sort_keys=True)
    return f"{event.at:%H:%M:%S} {event.kind} {event.account_key} {event.instrument} {event.tag} {told}"


def _read(path: Path) -> Weather:
    return Weather.from_json(json.loads(path.read_text())["weather"])
