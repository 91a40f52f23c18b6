"""Counts what tests prove: `@pytest.mark.proves("F11", "I1")` says which rows, `tally` how many trials it held.

`pytest --rows F11,I4` runs only the tests of these rows; `--evidence FILE` writes what came of every marked test, a
JSON line each, for scripts/evidence.py; `--simulated-days N` plays so many days instead of a thousand. A row's
database is what the test's parameter says (sqlite, postgres), the marker's `database=`, SQLite for a test of
the tables, or none.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.evidence.rows import DATABASES, describe_commit, load_rows

THOUSAND = 1000
PARAMETERS = {"sqlite": "sqlite", "postgres": "postgresql", "postgresql": "postgresql"}


TABLES = {"db", "transactional_db"}
"""What pytest-django gives a test that works on the suite's own database."""


class Tally:
    """Trials that one test holds. A test that does not ask for it is one trial, survived when it passes."""

    def __init__(self) -> None:
        self.tried = self.survived = 0

    def count(self, *, tried: int, survived: int) -> None:
        """Add trials, and how many of them ended as they must."""
        self.tried += tried
        self.survived += survived


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Iterator[Tally]:
    """Give the test's own count."""
    found = Tally()
    yield found
    request.node.user_properties.append(("tally", [found.tried, found.survived]))


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("evidence")
    group.addoption("--rows", default="", help="only tests that prove these rows, as F11,I4")
    group.addoption("--simulated-days", type=int, default=THOUSAND, help="how many days tests/simulation plays")
    group.addoption("--evidence", default="", help="write what came of every proving test here, a JSON line each")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Note what each test proves, refuse rows that do not exist, and leave out what was not asked for."""
    known = load_rows()
    for item in items:
        proves = [id_ for marker in item.iter_markers("proves") for id_ in marker.args]
        if strange := [id_ for id_ in proves if id_ not in known]:
            raise pytest.UsageError(
                f"{item.nodeid} proves {', '.join(strange)}: no such row in tests/evidence/rows.toml"
            )
        if proves:
            item.user_properties += [("proves", proves), ("database", database_of(item))]
    wanted = {id_ for id_ in config.getoption("--rows").split(",") if id_}
    if wanted:
        kept = [item for item in items if any(wanted & set(marker.args) for marker in item.iter_markers("proves"))]
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = kept


def database_of(item: pytest.Item) -> str:
    """Say which database a test takes part with. Raises UsageError for an unknown one."""
    for marker in item.iter_markers("proves"):
        if name := marker.kwargs.get("database"):
            if name not in DATABASES:
                raise pytest.UsageError(f"{item.nodeid}: database was {name!r}, must be one of {', '.join(DATABASES)}")
            return str(name)
    words = item.nodeid.partition("[")[2].rstrip("]").split("-")
    named = [PARAMETERS[word] for word in words if word in PARAMETERS]
    if named:
        return named[0]
    has_tables = item.get_closest_marker("django_db") or TABLES & set(getattr(item, "fixturenames", ()))
    return "sqlite" if has_tables else "none"


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Keep the result of a test that proves something; a setup that failed counts as its failure.

    The tally comes at the test's end. With pytest-xdist the process that has the run hears the reports of all others.
    """
    told = dict(report.user_properties)
    if report.when == "teardown" and "tally" in told and report.nodeid in _results:
        _results[report.nodeid]["tally"] = told["tally"]
    if "proves" not in told or not (report.when == "call" or (report.when == "setup" and not report.passed)):
        return
    _results[report.nodeid] = {"rows": told["proves"], "database": told["database"], "test": report.nodeid}
    _results[report.nodeid] |= {"passed": report.passed, "skipped": _reason(report) if report.skipped else ""}


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write what was asked for, where the results of all are."""
    target = session.config.getoption("--evidence")
    if target and not hasattr(session.config, "workerinput"):
        commit = describe_commit()
        lines = [json.dumps({**result, "commit": commit}) + "\n" for result in _results.values()]
        Path(target).write_text("".join(lines))


_results: dict[str, dict[str, Any]] = {}


def _reason(report: pytest.TestReport) -> str:
    return str(report.longrepr[2]) if isinstance(report.longrepr, tuple) else str(report.longrepr)
