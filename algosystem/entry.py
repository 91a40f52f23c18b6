"""What must be known before the settings load: the state directory, and the stack that runs in it.

Used by manage.py alone.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from trading.services.running_stack import StackFile

PROJECT = Path(__file__).resolve().parents[1]
STARTERS = ("run_stack", "run_exchange")
"""They make an environment and never join one."""
FOLLOWERS = ("stack", "kill", "alarm_test")
"""They speak to the running stack, whatever the shell's own variables say."""


def prepare_environment(argv: Sequence[str]) -> None:
    """Set ALGO_STATE_DIR from `--state-dir`, and join the stack that runs there, if one does."""
    # Not a default: a process that a test starts inherits the test suite's settings. `--settings` still counts.
    os.environ["DJANGO_SETTINGS_MODULE"] = "algosystem.settings"
    command = argv[1] if len(argv) > 1 else ""
    given = state_dir_option(argv)
    if given:
        os.environ["ALGO_STATE_DIR"] = str(Path(given).absolute())
    if command in STARTERS:
        return
    state_dir = Path(os.environ.get("ALGO_STATE_DIR") or PROJECT / "var")
    stack = StackFile(state_dir).read()
    for name, value in stack.environment.items() if stack else ():
        if command in FOLLOWERS:
            os.environ[name] = value
        else:
            os.environ.setdefault(name, value)


def state_dir_option(argv: Sequence[str]) -> str | None:
    """Find `--state-dir DIR` or `--state-dir=DIR` before argparse does; the last one counts."""
    found = None
    for position, word in enumerate(argv):
        if word == "--state-dir" and position + 1 < len(argv):
            found = argv[position + 1]
        elif word.startswith("--state-dir="):
            found = word.partition("=")[2]
    return found
