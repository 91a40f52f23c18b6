"""`when_ready`: waits in words, migrates where it should, and starts nothing on a demo's database or Redis."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import redis as redis_client

from trading.services.venue import REDIS_KEY

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.processes


def when_ready(folder: Path, redis_url: str, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run it for a command that says one word."""
    own = {"ALGO_STATE_DIR": str(folder), "REDIS_URL": redis_url, **more}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ALGO_")} | own
    environment.pop("DATABASE_URL", None)
    return subprocess.run(
        [sys.executable, "manage.py", "when_ready", *words, "echo", "started"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def test_web_migrates_and_the_others_find_it_done(redis_url: str, tmp_path: Path) -> None:
    early = when_ready(tmp_path, redis_url, "--within", "1")
    web = when_ready(tmp_path, redis_url, "--migrate")
    late = when_ready(tmp_path, redis_url, "--within", "60")

    assert "Waiting: the database's tables have not been up to date." in early.stdout
    assert "have not been up to date for 1 s" in early.stderr
    assert early.returncode != 0
    assert web.stdout.endswith("started\n")
    assert late.stdout == "started\n"


def test_a_redis_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = when_ready(tmp_path, "redis://127.0.0.1:1/0", "--within", "0.1")

    assert "Redis has not answered for 0.1 s" in done.stderr


def test_on_paper_it_waits_for_the_paper_exchange(redis_url: str, tmp_path: Path) -> None:
    nobody = {f"PAPER_{name}": "http://127.0.0.1:1" for name in ("ROOT", "LOGIN_ROOT", "CONTROL_URL")}

    done = when_ready(
        tmp_path,
        redis_url,
        "--migrate",
        "--within",
        "0.1",
        ALGO_VENUE="paper",
        PAPER_WS_ROOT="ws://127.0.0.1:1",
        **nobody,
    )

    assert "the paper exchange has not answered for 0.1 s" in done.stderr
    assert "started" not in done.stdout


def test_a_redis_that_a_demo_uses_is_refused(
    redis_url: str, redis: "redis_client.Redis[bytes]", tmp_path: Path
) -> None:
    redis.set(REDIS_KEY, "exchange-3f2a")

    done = when_ready(tmp_path, redis_url, "--migrate")

    assert "This Redis belongs to the venue exchange-3f2a and cannot serve live" in done.stderr
    assert "started" not in done.stdout
    assert redis.get(REDIS_KEY) == b"exchange-3f2a"
