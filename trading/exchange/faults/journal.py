"""What was put in force, taken out and injected: one JSON line each, only ever appended, read again at a start.

Bounded: beyond twice KEPT injections the file is written anew with the last KEPT of them, the rules in force and the
sums of what was dropped. A line that a killed process did not finish is left out.
"""

import json
from collections import Counter, deque
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

KEPT = 10_000
FILE_NAME = "faults.jsonl"


class Journal:
    """The file, with its last injections at hand. `path` None keeps them in memory only."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._file: IO[str] | None = None
        self._lines = 0
        self.injections: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self.totals: Counter[str] = Counter()
        """How often each action was injected, from the beginning of this exchange."""
        self.rules: dict[int, dict[str, Any]] = {}
        """The rules in force by number, each as it was written, with `seen` and `injected` as they are now."""
        self.last_rule = 0
        self.last_number = 0
        if path is not None:
            self._read(path)
            self._rewrite()

    def rule_added(self, rule_id: int, spec: dict[str, Any], at: str) -> None:
        """Write that a rule was put in force; `spec` is what is needed to make it again."""
        self._take({"what": "rule", "at": at, "rule_id": rule_id, "spec": spec, "seen": 0, "injected": 0})

    def rule_removed(self, rule_id: int, at: str) -> None:
        """Write that a rule was taken out."""
        self._take({"what": "gone", "at": at, "rule_id": rule_id})

    def injected(self, entry: dict[str, Any]) -> None:
        """Write one injection; it gets its number."""
        self._take({"what": "injected", "number": self.last_number + 1} | entry)

    def _take(self, line: dict[str, Any]) -> None:
        self._note(line)
        if self._file is None:
            return
        self._file.write(json.dumps(line, separators=(",", ":")) + "\n")
        self._file.flush()
        self._lines += 1
        if self._lines > 2 * KEPT + len(self.rules):
            self._rewrite()

    def _note(self, line: dict[str, Any]) -> None:
        what = line["what"]
        if what == "rule":
            self.rules[line["rule_id"]] = line
            self.last_rule = max(self.last_rule, line["rule_id"])
        elif what == "gone":
            self.rules.pop(line["rule_id"], None)
            self.last_rule = max(self.last_rule, line["rule_id"])
        elif what == "sums":
            self.totals.update(line["totals"])
            self.last_number, self.last_rule = line["last_number"], line["last_rule"]
        elif what == "injected":
            self.totals[line["action"]] += 1
            self.last_number = line["number"]
            self.injections.append({name: value for name, value in line.items() if name != "what"})
            rule = self.rules.get(line["rule_id"])
            if rule is not None:
                self.rules[line["rule_id"]] = rule | {"seen": line["seen"], "injected": rule["injected"] + 1}

    def _read(self, path: Path) -> None:
        if not path.exists():
            return
        for text in path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                self._note(json.loads(text))
            except (ValueError, KeyError, TypeError):
                continue  # the last line of a killed process

    def _rewrite(self) -> None:
        """Write the file anew, in one move."""
        if self._path is None:
            return
        lines = list(self._kept())
        draft = self._path.with_suffix(".new")
        self._path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines), encoding="utf-8")
        draft.replace(self._path)
        self.close()
        self._file = self._path.open("a", encoding="utf-8")
        self._lines = len(lines)

    def _kept(self) -> Iterable[dict[str, Any]]:
        before = self.totals - Counter(line["action"] for line in self.injections)
        first = self.injections[0]["number"] - 1 if self.injections else self.last_number
        yield {"what": "sums", "totals": dict(before), "last_number": first, "last_rule": self.last_rule}
        counted = Counter(line["rule_id"] for line in self.injections)
        for rule_id, rule in self.rules.items():
            yield rule | {"injected": rule["injected"] - counted[rule_id]}
        for line in self.injections:
            yield {"what": "injected"} | line

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None
