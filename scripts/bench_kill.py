"""How long a press takes until no entry passes any more, by each of its paths, in one run on one machine.

The gate is closed when a file stands in the kill directory, and when the press is committed in the database; both are
awaited here. Everything runs in a state directory of its own, on SQLite, without Redis.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROUNDS = 25
LOOKS = 2_000
PASSWORD = "a bench's password"  # noqa: S105 (of a database that lives for seconds)


def measure() -> Iterator[tuple[str, float, str, str]]:
    """Give (name, value, unit, note) rows: medians, and each path in times of the file's."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "ALGO_STATE_DIR": folder, "DJANGO_SETTINGS_MODULE": "algosystem.settings"}
        for name in ("DATABASE_URL", "REDIS_URL", "ALGO_CONTROL_URL"):
            environment.pop(name, None)
        told = subprocess.run(  # noqa: S603 (this very file)
            [sys.executable, __file__], env=environment, cwd=ROOT, capture_output=True, text=True, check=True
        )
    found = json.loads(told.stdout.splitlines()[-1])
    yield "kill: the gate's look at the directory", found["look_ms"] * 1000, "us", "before every entry"
    file_ms = found["paths"]["file"]
    for path, ms in found["paths"].items():
        yield f"kill: press to gate closed, {path}", ms, "ms", f"{ms / file_ms:,.1f} times the file, median of {ROUNDS}"


def _main() -> None:
    import django

    django.setup()
    from django.core.management import call_command
    from django.test import Client as Browser

    from trading.models import Client, CommandRow
    from trading.services import people, tokens, wiring

    call_command("migrate", verbosity=0)
    user = people.enrol("bench@example.com", PASSWORD)
    _, token = tokens.make_token(user, "bench", [tokens.Scope.KILL], clock=wiring.clock())
    files, browser = wiring.kill_files(), Browser(SERVER_NAME="localhost")
    files.prepare()
    browser.force_login(user)
    name = f"client:{user.client.pk}"

    def by_file() -> None:
        (files.folder / name).touch()
        assert name in files.names()  # noqa: S101 (a measurement of nothing must not stand)

    def by_page() -> None:
        assert browser.post("/kill/").status_code == 302  # noqa: S101

    def by_api() -> None:
        headers = {"Authorization": f"Bearer {token}"}
        reply = browser.post("/api/kill", "{}", content_type="application/json", headers=headers)
        assert reply.status_code == 202, reply.content  # noqa: S101

    def by_command() -> None:
        call_command("kill", "--client", user.email, stdout=StringIO(), stderr=StringIO())

    def again() -> None:
        for left in files.names():
            files.take_back(left)
        Client.objects.update(state="ACTIVE")
        CommandRow.objects.filter(finished_at=None).update(finished_at=wiring.clock().wall())

    def median_ms(press: Callable[[], None]) -> float:
        taken = []
        for _ in range(ROUNDS):
            again()
            begun = time.perf_counter()
            press()
            taken.append((time.perf_counter() - begun) * 1000)
        return statistics.median(taken)

    paths = {
        "file": by_file,
        "page": by_page,
        "API": by_api,
        "command": by_command,
    }  # the command without the start of its Python
    found = {path: median_ms(press) for path, press in paths.items()}
    again()
    begun = time.perf_counter()
    for _ in range(LOOKS):
        files.names()
    look_ms = (time.perf_counter() - begun) * 1000 / LOOKS
    sys.stdout.write(json.dumps({"paths": found, "look_ms": look_ms}) + "\n")


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    _main()
