"""`python manage.py run_vectors PATH...`: run worked cases of the ladder. Needs no database and no Redis."""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from trading.domain.vectors import VectorError, first_difference, run_vector


class Command(BaseCommand):
    """Print `N passed, M failed`; exit 1 when any failed, naming the first event that differs."""

    help = "Run worked cases (JSON files, or folders of them) through the ladder."
    requires_system_checks: list[str] = []  # nothing of the installation is needed

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take one or more files or folders."""
        parser.add_argument("paths", nargs="+", metavar="PATH", help="a vector file, or a folder of *.json files")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run every case. Raises CommandError for a path or file that cannot be read."""
        passed = failed = 0
        for file in _files([Path(path) for path in options["paths"]]):
            problem = _run(file)
            if problem is None:
                passed += 1
            else:
                failed += 1
                self.stdout.write(f"FAILED {file}: {problem}")
        self.stdout.write(f"{passed} passed, {failed} failed")
        if failed:
            sys.exit(1)


def _files(paths: list[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_file():
            yield path
        elif path.is_dir():
            found = sorted(path.glob("*.json"))
            if not found:
                raise CommandError(f"{path} holds no *.json file")
            yield from found
        else:
            raise CommandError(f"{path} does not exist")


def _run(file: Path) -> str | None:
    """Give the first difference of one file, None when it passed."""
    try:
        case = json.loads(file.read_text(encoding="utf-8"))
        return first_difference(case, run_vector(case))
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise CommandError(f"{file} is no JSON file: {error}") from error
    except (VectorError, TypeError) as error:
        raise CommandError(f"{file} is no ladder vector: {error}") from error
