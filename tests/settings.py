"""Settings of the test suite: a state directory of its own, quick hashing, nothing that needs a server.

Redis-backed parts are replaced in memory; a test that wants the real thing takes the `redis_url` fixture.
DATABASE_URL is respected, so that the suite also runs on PostgreSQL.
"""

import atexit
import os
import shutil
import tempfile

_state_dir = tempfile.mkdtemp(prefix="algosystem-tests-")
atexit.register(shutil.rmtree, _state_dir, ignore_errors=True)
_own = {"ALGO_STATE_DIR": _state_dir, "ALGO_VENUE": "demo", "ALGO_ENV": "development", "DEBUG": "0"}
_before = {name: os.environ.get(name) for name in (*_own, "REDIS_URL", "ALGO_CONTROL_URL", "ALLOWED_HOSTS", "PORT")}
for _name in _before:
    os.environ.pop(_name, None)
os.environ.update(_own)

from algosystem.settings import *  # noqa: E402, F403

# Processes that a test starts get the developer's environment back, not this one's.
for _name, _value in _before.items():
    os.environ.pop(_name, None)
    if _value is not None:
        os.environ[_name] = _value

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
CELERY_TASK_ALWAYS_EAGER = True
CELERY_BROKER_URL = "memory://"
REDIS_URL = "redis://127.0.0.1:1/0"
"""Nobody listens there: a test that reaches for Redis without the fixture fails at once."""
