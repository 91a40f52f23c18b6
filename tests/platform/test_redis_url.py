"""REDIS_URL means the same to every part: the queue checks a certificate too, and what it cannot use is refused."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ASK = "from algosystem.celery import app; print(app.connection().ssl)"


def ask(redis_url: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Load the settings in a process of their own and say how Celery would connect."""
    own = {"REDIS_URL": redis_url, "ALGO_STATE_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "algosystem.settings"}
    return subprocess.run(
        [sys.executable, "-c", ASK],
        cwd=ROOT,
        env={**os.environ, **own},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def test_the_queue_checks_the_certificate_of_a_redis_behind_tls(tmp_path: Path) -> None:
    assert "CERT_REQUIRED" in ask("rediss://:pw@redis.example.com:6380/0", tmp_path).stdout


def test_a_redis_without_tls_is_spoken_to_plainly(tmp_path: Path) -> None:
    assert ask("redis://127.0.0.1:6379/0", tmp_path).stdout.strip() in ("False", "None")


def test_an_address_that_the_queue_cannot_use_is_refused_at_the_start(tmp_path: Path) -> None:
    assert "REDIS_URL must begin with redis:// or rediss://" in ask("unix:///run/redis.sock", tmp_path).stderr
