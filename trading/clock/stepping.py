"""A clock that is set while its process runs, for tests: the machine's own cannot be set without being its root."""

import os
from datetime import timedelta

STEP_FILE = "ALGO_CLOCK_FILE"
NO_STEP = timedelta(0)


def step() -> timedelta:
    """Give by how much this process's clocks are off: the seconds in the file that ALGO_CLOCK_FILE names.

    Nothing without the variable, and while there is no such file or it holds no number. Wire time never steps.
    """
    name = os.environ.get(STEP_FILE)
    if not name:
        return NO_STEP
    try:
        with open(name) as file:  # noqa: PTH123 (read at every look at the clock)
            return timedelta(seconds=float(file.read()))
    except (FileNotFoundError, ValueError):
        return NO_STEP
