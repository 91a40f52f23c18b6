"""`stack status|summary|check|stop`: speak to the stack that runs in the state directory."""

import json
import os
import signal
import time
from argparse import ArgumentParser
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from trading.clock.live import LiveClock
from trading.services.running_stack import StackFile, StackView
from trading.services.summary import house_figures
from trading.stack import checkup, report
from trading.stack.options import add_state_dir

ACTIONS = ("status", "summary", "check", "stop")
STOPS_WITHIN_S = 15.0
POLL_S = 0.1


class Command(BaseCommand):
    """Exit code 0: done or all well; 1: nothing runs, or a check failed."""

    help = "Show, check or stop the running stack."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("action", choices=ACTIONS)
        parser.add_argument("--json", action="store_true", help="for programs")
        add_state_dir(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Do one action."""
        file = StackFile(settings.STATE_DIR)
        stack = file.read()
        if options["action"] == "check" and (stack or os.environ.get("REDIS_URL")):
            self._check(as_json=options["json"])
        elif stack is None:
            raise CommandError(f"No stack is running in {settings.STATE_DIR}. Start one with `make run`.")
        elif options["action"] == "stop":
            self._stop(file, stack, as_json=options["json"])
        else:
            self._show(stack, as_json=options["json"], with_sign_in=options["action"] == "summary")

    def _show(self, stack: StackView, *, as_json: bool, with_sign_in: bool) -> None:
        data = report.as_data(stack, house_figures())
        if not as_json:
            self.stdout.write(report.as_text(stack, data))
            return
        if with_sign_in and stack.sign_in:
            data["sign_in"] = list(stack.sign_in)
        self.stdout.write(json.dumps(data))

    def _check(self, *, as_json: bool) -> None:
        findings = checkup.check_all()
        is_ok = all(finding.is_ok for finding in findings)
        if as_json:
            rows = [{"name": finding.name, "ok": finding.is_ok, "detail": finding.detail} for finding in findings]
            self.stdout.write(json.dumps({"ok": is_ok, "checks": rows}))
        else:
            for finding in findings:
                self.stdout.write(f"{'ok    ' if finding.is_ok else 'FAILED'} {finding.name}: {finding.detail}")
        if not is_ok:
            raise SystemExit(1)

    def _stop(self, file: StackFile, stack: StackView, *, as_json: bool) -> None:
        with suppress(ProcessLookupError):
            os.kill(stack.pid, signal.SIGTERM)
        clock = LiveClock()
        deadline = clock.monotonic() + STOPS_WITHIN_S
        while file.is_running():
            if clock.monotonic() > deadline:
                raise CommandError(f"The stack (process {stack.pid}) did not stop within {STOPS_WITHIN_S:g} s.")
            time.sleep(POLL_S)
        self.stdout.write(json.dumps({"stopped": True}) if as_json else "Stopped.")
