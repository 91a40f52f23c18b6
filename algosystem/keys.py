"""The installation's own secrets, made once and kept in the state directory.

Only where nobody gives them by environment, and never in production.
"""

import json
import os
import secrets
from contextlib import suppress
from pathlib import Path

from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured


def kept_keys(state_dir: Path) -> dict[str, str]:
    """Give SECRET_KEY and FIELD_KEYS of `<state_dir>/keys.json` (mode 600), making the file when it is absent.

    Safe when several processes start at once: the first to link its file wins and the others read that.
    """
    path = state_dir / "keys.json"
    try:
        if not path.exists():
            state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
            _make(path)
        keys = json.loads(path.read_text())
        return {"SECRET_KEY": str(keys["SECRET_KEY"]), "FIELD_KEYS": str(keys["FIELD_KEYS"])}
    except OSError as error:
        raise ImproperlyConfigured(
            f"The state directory {state_dir} cannot be used ({error.strerror}). Choose another --state-dir"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise ImproperlyConfigured(
            f"{path} is damaged. Put back a copy; without its keys the stored broker secrets cannot be read"
        ) from error


def _make(path: Path) -> None:
    keys = {"SECRET_KEY": secrets.token_urlsafe(50), "FIELD_KEYS": Fernet.generate_key().decode()}
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(keys, file)
        file.flush()
        os.fsync(file.fileno())
    with suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()
