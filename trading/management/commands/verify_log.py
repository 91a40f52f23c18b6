"""`verify_log`: check the event log's chains, and with `--decisions` that each decision follows from what it names."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from trading.models import Client
from trading.services import wiring
from trading.services.anchors import read_anchors
from trading.services.clients import find_client
from trading.services.log_check import LogReport, check_decisions, check_log


class Command(BaseCommand):
    """Exit code 0 when the log is whole, 1 when it breaks, 2 for a wrong call."""

    help = "Check the event log: edits, deletions, swaps, insertions and cut ends are found and named."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--json", action="store_true", help="one JSON line instead of the table")
        parser.add_argument("--client", metavar="EMAIL_OR_ID", help="only this client's chain; `house` for the house's")
        parser.add_argument("--decisions", action="store_true", help="also replay decisions and verdicts (slower)")
        parser.add_argument("--anchors", type=Path, metavar="FILE", help="another copy of the anchors file")

    def handle(self, *args: Any, **options: Any) -> None:
        """Check, print, and say it by the exit code."""
        clock, anchors = wiring.clock(), read_anchors(options["anchors"])
        began = clock.monotonic()
        if (whom := options["client"]) is None:
            report = check_log(anchors=anchors)
        else:
            client = None if whom == "house" else _client(whom)
            report = check_log(client.pk if client else None, is_whole_log=False, anchors=anchors)
        if options["decisions"]:
            report = check_decisions(report)
        took_s = clock.monotonic() - began
        self.stdout.write(json.dumps(_as_dict(report, took_s)) if options["json"] else _as_table(report, took_s))
        if not report.is_whole:
            raise SystemExit(1)


def _client(whom: str) -> Client:
    client = find_client(whom)
    if client is None:
        raise CommandError(f"No client is called {whom}.", returncode=2)
    return client


def _as_dict(report: LogReport, took_s: float) -> dict[str, Any]:
    return {
        "ok": report.is_whole,
        "lines": report.lines,
        "chains": [chain.as_dict() for chain in report.chains],
        "anchors": report.anchors,
        "warnings": list(report.warnings),
        "decisions": report.decisions,
        "verdicts": report.verdicts,
        "wrong_decisions": list(report.wrong_decisions),
        "seconds": round(took_s, 3),
    }


def _as_table(report: LogReport, took_s: float) -> str:
    width = max([5, *(len(chain.name) for chain in report.chains)])
    rows = [f"{'chain':<{width}} {'lines':>10} {'anchored to':>12}  result"]
    for chain in report.chains:
        result = "whole" if chain.broken is None else f"BROKEN at line {chain.broken.seq}: {chain.broken.text}"
        rows.append(f"{chain.name:<{width}} {chain.lines:>10,} {chain.anchored_to:>12,}  {result}")
    rows += [f"Warning: {warning}." for warning in report.warnings]
    rows += [f"Wrong decision: {wrong}." for wrong in report.wrong_decisions]
    if report.decisions or report.verdicts:
        rows.append(f"{report.decisions:,} decisions and {report.verdicts:,} verdicts judged again.")
    rate = report.lines / took_s if took_s else 0.0
    end = "The log is whole." if report.is_whole else "THE LOG IS NOT WHOLE."
    return "\n".join([*rows, f"{report.lines:,} lines in {took_s:.1f} s ({rate:,.0f} a second). {end}"])
