"""`make evidence`: runs what proves the money path and writes what came of it, not what is thought of it.

Without ROWS it writes docs/reliability.md and docs/evidence/reliability.json; with ROWS=F11,I4,P03 it runs these alone
and prints one JSON line each. A row is one fault or invariant on one database; a planted defect is a row of its own.
With `--refresh` they take the place of what stands there, for rows whose defect was mended after the whole run.
`--results FILE` takes what `make test ARGS="--evidence FILE"` found of the same commit instead of testing anew.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts.evidence_page import NOT_TRIED, page_of
from tests.evidence.planted import Greenhouse, load_plants
from tests.evidence.rows import DATABASES, Row, describe_commit, load_rows

ROOT = Path(__file__).resolve().parents[1]
JSON_FILE, PAGE = ROOT / "docs" / "evidence" / "reliability.json", ROOT / "docs" / "reliability.md"
HOW = {
    "tests/chaos": "real processes",
    "tests/days": "real processes, a whole day",
    "tests/simulation": "simulated days",
    "tests/exchange": "the real SDK against the simulated exchange",
    "tests/brokers": "the real adapter against the simulated exchange",
    "tests/engine": "the engine on a virtual clock",
    "tests/stores": "the stores' contract",
    "tests/services": "use cases on the database",
    "tests/domain": "pure rules",
    "tests/marketdata": "the feed's parts",
    "tests/architecture": "the source read as text",
    "tests/web": "pages and sockets",
    "tests/browser": "a real browser",
}
NO_TEST = "no test yet"
DAYS_OF_A_ROW = 40
"""How many simulated days are played where single rows are asked for: all rows have a thousand."""
TESTS_FAILED, NO_TESTS = 1, 5
"""pytest's exit codes."""

Result = Mapping[str, Any]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, write, and say with the exit code whether everything survived."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", default="", help="only these, as F11,I4,P03")
    parser.add_argument("--results", type=Path, help="what a whole run of the suite wrote by its option --evidence")
    parser.add_argument("--refresh", action="store_true", help="with --rows: put them into docs/ instead of printing")
    options = parser.parse_args(arguments)
    wanted = {id_.strip().upper() for id_ in options.rows.split(",") if id_.strip()}
    rows, commit = load_rows(), describe_commit()
    plants = [plant for plant in load_plants() if not wanted or plant.id in wanted]
    if strange := wanted - set(rows) - {plant.id for plant in plants}:
        told = "tests/evidence/rows.toml has the faults and rules, tests/planted the defects (P01 on)"
        parser.error(f"no such row: {', '.join(sorted(strange))}; {told}")
    if not wanted and commit.endswith("-dirty"):
        sys.stderr.write("The checkout differs from its commit: the evidence will say so.\n")
    chosen = [row for row in rows.values() if not wanted or row.id in wanted]
    found: list[dict[str, Any]] = []
    if chosen:
        results = _read(options.results) if options.results else _run_tests(chosen, is_part=bool(wanted))
        if strange := {result["commit"] for result in results} - {commit}:
            raise SystemExit(f"these results are of commit {', '.join(sorted(strange))}, not of {commit}")
        found += list(rows_of(chosen, results, commit))
    try:
        found += [{"id": plant.id, "what": plant.what, "caught_by": caught} for plant, caught in _planted(plants)]
    except ValueError as error:
        raise SystemExit(f"{error}\nThe defects were not tried; nothing is written.") from None
    if wanted and not options.refresh:
        sys.stdout.write("".join(json.dumps(row) + "\n" for row in found))
    else:
        _write(put_in(json.loads(JSON_FILE.read_text()), found) if wanted else found)
    return 0 if all(is_good(row) for row in found) else 1


def put_in(standing: Sequence[Result], anew: Sequence[Result]) -> list[Result]:
    """Give the rows that stand, with those tried anew in the place of theirs; each names the commit it was tried on."""
    return [row for rows in (_by_id(standing) | _by_id(anew)).values() for row in rows]


def _by_id(rows: Iterable[Result]) -> dict[str, list[Result]]:
    found: dict[str, list[Result]] = defaultdict(list)
    for row in rows:
        found[row["id"]].append(row)
    return found


def _write(rows: Sequence[Result]) -> None:
    JSON_FILE.parent.mkdir(exist_ok=True)
    JSON_FILE.write_text(json.dumps(rows, indent=1) + "\n")
    PAGE.write_text(page_of(rows))


def is_good(row: Result) -> bool:
    """Say whether a row shows what it must: a defect caught; something tried, or a reason why not, and all survived."""
    if "caught_by" in row:
        return bool(row["caught_by"])
    return bool(row["tried"] == row["survived"] and row["skipped"] != NO_TEST)


def rows_of(rows: Iterable[Row], results: Sequence[Result], commit: str) -> Iterable[dict[str, Any]]:
    """Give one row a fault or invariant and database that took part; what has no test says so in `skipped`."""
    by_row: dict[tuple[str, str], list[Result]] = defaultdict(list)
    for result in results:
        for id_ in result["rows"]:
            by_row[(id_, result["database"])].append(result)
    for row in rows:
        databases = [
            name for name in DATABASES if (row.id, name) in by_row or name in row.skipped or name in row.databases
        ]
        for database in databases or ["none"]:
            theirs = by_row[(row.id, database)]
            tried, survived, reasons = _counts(theirs)
            skipped = row.skipped.get(database) or "; ".join(sorted(reasons)) or (None if tried else NO_TEST)
            yield {
                "id": row.id,
                "what": row.what,
                "database": database,
                "how": "; ".join([*sorted({_how(result["test"]) for result in theirs}), *_part(row)]),
                "tried": tried,
                "survived": survived,
                "skipped": skipped,
                "tests": sorted(result["test"] for result in theirs),
                "commit": commit,
            }


def _counts(results: Sequence[Result]) -> tuple[int, int, set[str]]:
    """Give trials, survived ones, and why tests were skipped: those count for nothing."""
    tried = survived = 0
    for result in results:
        if result["skipped"]:
            continue
        held, ended_well = result.get("tally", (1, 1))
        if not result["passed"]:  # whatever its count says, one thing was not as it must be
            held, ended_well = max(held, 1), min(ended_well, max(held - 1, 0))
        tried, survived = tried + held, survived + ended_well
    return tried, survived, {result["skipped"] for result in results if result["skipped"]}


def _part(row: Row) -> list[str]:
    return [NOT_TRIED + row.not_tried] if row.not_tried else []


def _how(test: str) -> str:
    return next((words for folder, words in HOW.items() if test.startswith(folder)), "tests")


def _run_tests(rows: Sequence[Row], *, is_part: bool) -> list[Result]:
    """Run what proves these rows; of a part of them with fewer simulated days."""
    asked = ",".join(row.id for row in rows)
    days = ["--simulated-days", str(DAYS_OF_A_ROW)] if is_part else []
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "results.jsonl"
        command = [sys.executable, "-m", "pytest", "-q", "--rows", asked, *days, "--evidence", str(target), "tests"]
        done = subprocess.run(command, cwd=ROOT, stdout=sys.stderr, check=False)  # noqa: S603
        if done.returncode not in (0, TESTS_FAILED, NO_TESTS):
            raise SystemExit(f"the tests could not run (pytest ended with {done.returncode}); nothing is written")
        return _read(target)


def _read(results: Path) -> list[Result]:
    return [json.loads(line) for line in results.read_text().splitlines()]


def _planted(plants: Sequence[Any]) -> Iterable[tuple[Any, list[str]]]:
    if not plants:
        return
    with tempfile.TemporaryDirectory() as folder, Greenhouse(Path(folder)) as greenhouse:
        for plant in plants:
            yield plant, greenhouse.caught_by(plant)


if __name__ == "__main__":
    sys.exit(main())
