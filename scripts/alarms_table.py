"""Writes the table of every alarm into docs/alarms.md, from trading/domain/data/alarms.toml."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from trading.domain.alarms import Severity, Tells, alarm_kinds  # noqa: E402 (the path first)

PAPER, HEADING = ROOT / "docs" / "alarms.md", "## Every code\n"
TITLES = {
    Severity.CRITICAL: "Critical: somebody must act",
    Severity.WARNING: "Warnings",
    Severity.INFO: "For information",
}
TOLD = {
    Tells.BOTH: "client and operators",
    Tells.EVERYBODY: "whom it stops, and operators",
    Tells.OPERATOR: "operators",
}


def tables() -> str:
    """Give one table a severity, its rows by code."""
    parts = []
    for severity, title in TITLES.items():
        rows = [
            f"| `{kind.code}` | {kind.title} | {kind.means} | {kind.do} | {TOLD[kind.tells]} |"
            for kind in sorted(alarm_kinds().values(), key=lambda kind: kind.code)
            if kind.severity is severity
        ]
        head = ["| code | what happened | what it means | what to do | told |", "|---|---|---|---|---|"]
        parts.append("\n".join([f"### {title}", "", *head, *rows]))
    return "\n\n".join(parts) + "\n"


def main() -> None:
    """Write everything below the heading anew."""
    before = PAPER.read_text(encoding="utf-8").partition(HEADING)[0]
    PAPER.write_text(f"{before}{HEADING}\n{tables()}", encoding="utf-8")


if __name__ == "__main__":
    main()
