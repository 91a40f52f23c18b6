"""`make check`: everything but the tests, the quick ones first. All run; exit code 1 when one failed."""

import os
import secrets
import subprocess
import sys
import tempfile
import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Step:
    """One check: a command that ends with 0 when all is well."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


def python(*words: str) -> tuple[str, ...]:
    """Give a command line under this Python."""
    return (sys.executable, *words)


def production_settings() -> dict[str, str]:
    """Give what a production environment must set; `check --deploy` connects to none of it."""
    return {
        "ALGO_ENV": "production",
        "ALGO_VENUE": "live",
        "SECRET_KEY": secrets.token_urlsafe(50),
        "FIELD_KEYS": urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "ALLOWED_HOSTS": "trading.example.com",
        "DATABASE_URL": "postgresql://algosystem@127.0.0.1/algosystem",
        "REDIS_URL": "redis://127.0.0.1:6379/0",
        "MAIL_HOST": "mail.example.com",
    }


def steps(state_dir: str) -> list[Step]:
    """Give every check in order; `state_dir` is a place for keys that are thrown away."""
    here = {"ALGO_STATE_DIR": state_dir, "DJANGO_SETTINGS_MODULE": "algosystem.settings"}
    return [
        Step("formatting", python("-m", "ruff", "format", "--check", "--quiet", ".")),
        Step("lint", python("-m", "ruff", "check", "--quiet", ".")),
        Step("imports", python("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/architecture")),
        Step("migrations", python("manage.py", "makemigrations", "--check", "--dry-run"), here),
        Step(
            "deployment",
            python("manage.py", "check", "--deploy", "--fail-level", "WARNING"),
            {**here, **production_settings()},
        ),
        Step("assets", python("scripts/check_assets.py")),
        Step("types", python("-m", "mypy", "."), here),
    ]


def run(step: Step) -> bool:
    """Run one check and print its line; its output only when it failed."""
    started = time.monotonic()
    done = subprocess.run(  # noqa: S603 (our own command lines)
        step.command,
        cwd=ROOT,
        env={**os.environ, **step.environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    is_ok = done.returncode == 0
    say(f"{'ok    ' if is_ok else 'FAILED'} {step.name:<12} {time.monotonic() - started:6.1f} s")
    if not is_ok:
        say(done.stdout + done.stderr)
    elif step.name == "assets":
        say(f"       {done.stdout.strip()}")
    return is_ok


def say(text: str) -> None:
    """Write a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    """Run all checks."""
    with tempfile.TemporaryDirectory(prefix="algosystem-check-") as state_dir:
        results = [run(step) for step in steps(state_dir)]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
