#!/usr/bin/env python3
"""Django's command line for the project. Written so that even a very old Python can read it and say what is wrong."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
VENV_PYTHON = os.path.join(HERE, ".venv", "bin", "python")
OLDEST = (3, 11)


def move_into_venv() -> None:
    """Go on with the project's own Python where it exists, unless some environment was chosen already."""
    is_chosen = sys.prefix != getattr(sys, "base_prefix", sys.prefix)
    if not is_chosen and os.access(VENV_PYTHON, os.X_OK):
        os.execv(VENV_PYTHON, [VENV_PYTHON] + sys.argv)


def main() -> None:
    """Run one command."""
    move_into_venv()
    if sys.version_info < OLDEST:
        sys.exit(
            "AlgoSystem needs Python %d.%d or newer, this is %s: install a newer one and run `make run`."
            % (OLDEST + (sys.version.split()[0],))
        )
    try:
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line
    except ImportError:
        sys.exit("Django is not installed for this Python: run `make setup` (or `make run`) first.")
    from algosystem.entry import prepare_environment

    prepare_environment(sys.argv)
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit("%s." % str(error).rstrip("."))


if __name__ == "__main__":
    main()
