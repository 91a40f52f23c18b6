"""The page docs/reliability.md: what was tried and what survived, for somebody who decides whether to trust this."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

Row = Mapping[str, Any]
CHAPTERS = (
    ("Prices", "F", 1, 10),
    ("Orders and the broker", "F", 11, 35),
    ("Processes, databases, networks", "F", 36, 57),
    ("Time and calendar", "F", 58, 63),
    ("People, releases, data", "F", 64, 69),
    ("Rules that held all the while", "I", 1, 28),
)
NOT_TRIED = "not tried: "
NOT_HERE = (
    "F09 (a burst of ticks), F10, F70-F74, I15, I22 and I28 (accounts, secrets, backups, a web under load) are not part"
    " of this page yet."
)


def page_of(rows: Sequence[Row]) -> str:
    """Give the page. What did not survive and what was not tried come first."""
    proved = [row for row in rows if "caught_by" not in row]
    planted = [row for row in rows if "caught_by" in row]
    lines = [
        "# Reliability: what was tried, and what survived",
        "",
        *_summary(proved, planted),
        *_table("What did not survive", ("row", "what", "database", "survived of tried"), _failed(proved, planted)),
        *_table("What was not tried, and why", ("row", "what", "database", "reason"), _not_tried(proved)),
    ]
    for title, letter, first, last in CHAPTERS:
        some = [row for row in proved if row["id"][0] == letter and first <= int(row["id"][1:]) <= last]
        header = ("row", "what", "no database", "SQLite", "PostgreSQL", "how")
        lines += _table(title, header, _by_row(some))
    catches = [(one["id"], one["what"], "<br>".join(one["caught_by"]) or "**nothing**") for one in planted]
    lines += [*_table("Planted defects", ("row", "defect", "caught by"), catches), ""]
    return "\n".join(lines)


def _summary(proved: Sequence[Row], planted: Sequence[Row]) -> list[str]:
    ids = {row["id"] for row in proved}
    bad = {row["id"] for row in proved if row["survived"] < row["tried"]}
    untried = {row["id"] for row in proved} - {row["id"] for row in proved if row["tried"]}
    caught = sum(1 for one in planted if one["caught_by"])
    commits = Counter(row["commit"] for row in proved)
    commit = commits.most_common(1)[0][0] if commits else "unknown"
    later = {row["id"]: row["commit"] for row in proved if row["commit"] != commit}
    again = "".join(f", {id_} again at `{other}`" for id_, other in sorted(later.items()))
    return [
        f"Written by `make evidence` at commit `{commit}`{again}; by hand nothing is written here. Kite only, against"
        " the simulated exchange: nothing on this page was tried with a real broker or real money.",
        "",
        f"- **{len(ids - bad - untried)} of {len(ids)}** faults and rules survived every trial"
        + (f"; {_names(bad)} did not" if bad else "")
        + (f"; {_names(untried)} could not be tried at all" if untried else "")
        + ".",
        f"- **{caught} of {len(planted)}** defects that were planted on purpose were caught by the suite.",
        f"- {NOT_HERE}",
        "",
        "A cell is *survived / tried*. A trial is one test that passed, one simulated day in which the fault was really"
        " in the way, or one look of the referee at a rule. *No database* is the engine on a virtual clock, with its"
        " store in memory; the other columns are real tables. What could not run counts for nothing. The tests behind"
        " each cell stand in [evidence/reliability.json](evidence/reliability.json); `make evidence ROWS=F11,I4,P03`"
        " tries these rows again, with fewer simulated days.",
        "",
    ]  # fmt: skip


def _names(ids: set[str]) -> str:
    return ", ".join(sorted(ids))


def _failed(proved: Sequence[Row], planted: Sequence[Row]) -> list[tuple[str, ...]]:
    rows = [
        (row["id"], row["what"], row["database"], f"{row['survived']:,} of {row['tried']:,}")
        for row in proved
        if row["survived"] < row["tried"]
    ]
    return [*rows, *((one["id"], one["what"], "", "not caught") for one in planted if not one["caught_by"])]


def _not_tried(proved: Sequence[Row]) -> list[tuple[str, ...]]:
    parts = {
        (row["id"], row["what"], "a part of it", part.removeprefix(NOT_TRIED))
        for row in proved
        for part in row["how"].split("; ")
        if part.startswith(NOT_TRIED)
    }
    whole = [(row["id"], row["what"], row["database"], row["skipped"]) for row in proved if row["skipped"]]
    return sorted([*whole, *parts])


def _by_row(rows: Sequence[Row]) -> Iterator[tuple[str, ...]]:
    """Give one line a fault or rule, with its databases side by side."""
    for id_, group in groupby(rows, key=lambda row: str(row["id"])):
        theirs = {row["database"]: row for row in group}
        cells = [_cell(theirs.get(database)) for database in ("none", "sqlite", "postgresql")]
        how = sorted(
            {
                word
                for row in theirs.values()
                for word in row["how"].split("; ")
                if word and not word.startswith(NOT_TRIED)
            }
        )
        yield (id_, next(iter(theirs.values()))["what"], *cells, "; ".join(how))


def _cell(row: Row | None) -> str:
    if row is None or not row["tried"]:
        return "not tried" if row else ""
    cell = f"{row['survived']:,} / {row['tried']:,}"
    return cell if row["survived"] == row["tried"] else f"**{cell}**"


def _table(title: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Give a chapter with a table, or nothing where there is nothing to tell."""
    escaped = [[cell.replace("|", r"\|") for cell in row] for row in rows]
    lines = [f"| {' | '.join(row)} |" for row in escaped]
    if not lines:
        return []
    return [f"## {title}", "", f"| {' | '.join(header)} |", "|" + "---|" * len(header), *lines, ""]
