"""Planted defects: patches that make the product wrong, each to be caught by the tests that its head names.

A patch in tests/planted begins with `What: ...` and one or more `Caught-by: ...` lines, each a pytest node id or
`simulate ...` with the arguments of that command; the unified diff follows.
"""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Self

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "tests" / "planted"
NURSERY = Path(__file__).with_name("nursery.py")
LEFT_OUT = shutil.ignore_patterns(
    *(".git", ".venv", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", "__pycache__"),
    *("node_modules", "var", "docs"),
)
FAILED_TESTS = 1
"""pytest's exit code; 2 and more mean that nothing was tested."""


@dataclass(frozen=True, slots=True)
class Plant:
    """One planted defect."""

    id: str
    what: str
    caught_by: tuple[str, ...]
    patch: Path


def load_plants(folder: Path = FOLDER) -> list[Plant]:
    """Read the patches in their order. Raises ValueError for one whose head says too little."""
    return [_read(patch) for patch in sorted(folder.glob("P*.patch"))]


def _read(patch: Path) -> Plant:
    head = patch.read_text().partition("\n--- ")[0].splitlines()
    told = [line.partition(": ") for line in head]
    what = [value for name, _, value in told if name == "What"]
    caught_by = tuple(value for name, _, value in told if name == "Caught-by")
    if len(what) != 1 or not caught_by:
        raise ValueError(f"{patch.name} must begin with one `What: ...` and at least one `Caught-by: ...`")
    return Plant(patch.stem.partition("_")[0], what[0], caught_by, patch)


class Nursery:
    """A process that runs tests in forks of itself (nursery.py)."""

    def __init__(self, root: Path, stock: str, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(NURSERY), str(root), stock],
            env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.imported = {Path(file) for file in json.loads(self._read())}
        """The project's files that every run has from the beginning: a defect in one of them would never show."""

    def run(self, arguments: list[str], output: Path) -> int:
        """Run pytest and give its exit code."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"arguments": arguments, "output": str(output)}) + "\n")
        self._process.stdin.flush()
        return int(self._read())

    def close(self) -> None:
        """End it."""
        self._process.communicate(timeout=60)

    def _read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


class Greenhouse:
    """A copy of the project in which defects are planted one after the other."""

    def __init__(self, folder: Path) -> None:
        self.root = folder.resolve() / "project"
        self._output = folder / "output"
        self._planted = 0
        self._environment = {"PYTHONPYCACHEPREFIX": str(folder / "bytecode"), **os.environ}
        self._environment.pop("PYTHONDONTWRITEBYTECODE", None)
        shutil.copytree(ROOT, self.root, ignore=LEFT_OUT)
        self._nursery = Nursery(self.root, "models", self._environment)
        self._bare_nursery: Nursery | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for nursery in (self._nursery, self._bare_nursery):
            if nursery is not None:
                nursery.close()

    def caught_by(self, plant: Plant) -> list[str]:
        """Plant one defect and give what caught it. Raises ValueError when the patch does not fit any more."""
        self._planted += 1
        touched = self._touched(plant)
        times = {path: path.stat().st_mtime for path in touched}
        self._apply(plant)
        for path, time in times.items():
            os.utime(
                path, (time, time + self._planted)
            )  # bytecode is known by its second: none may look like another's
        try:
            return [one for one in plant.caught_by if self._fails(one, touched)]
        finally:
            self._apply(plant, "--reverse")
            for path, time in times.items():
                os.utime(path, (time, time))

    def _nursery_for(self, touched: list[Path]) -> Nursery:
        """Give the one in which nothing of the plant is imported yet."""
        if self._nursery.imported.isdisjoint(touched):
            return self._nursery
        if self._bare_nursery is None:
            self._bare_nursery = Nursery(self.root, "libraries", self._environment)
        assert self._bare_nursery.imported.isdisjoint(touched)
        return self._bare_nursery

    def _touched(self, plant: Plant) -> list[Path]:
        marks = [line.removeprefix("+++ b/") for line in plant.patch.read_text().splitlines() if line[:6] == "+++ b/"]
        return [path for path in (self.root / mark for mark in marks) if path.exists()]

    def _apply(self, plant: Plant, *options: str) -> None:
        command = ["git", "apply", "--whitespace=nowarn", *options, str(plant.patch)]
        environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(self.root.parent)}
        done = subprocess.run(command, cwd=self.root, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ValueError(f"{plant.patch.name} does not fit the code: {done.stderr.strip()}")

    def _fails(self, catcher: str, touched: list[Path]) -> bool:
        words = catcher.split()
        code = self._simulate(words) if words[0] == "simulate" else self._test(words, touched)
        if code not in (0, FAILED_TESTS) or (code and words[0] != "simulate" and not self._did_fail()):
            raise ValueError(f"{catcher} could not run: {self._output.read_text()[-800:]}")
        return code == FAILED_TESTS

    def _did_fail(self) -> bool:
        """Say whether a test failed: one that could not be set up shows nothing."""
        return " failed" in self._output.read_text().rstrip().rpartition("\n")[2]

    def _simulate(self, words: list[str]) -> int:
        command = [sys.executable, "manage.py", *words, "--json"]
        with self._output.open("w") as output:
            return subprocess.call(command, cwd=self.root, env=self._environment, stdout=output, stderr=output)

    def _test(self, words: list[str], touched: list[Path]) -> int:
        arguments = ["-q", "-x", "--nomigrations", "-p", "no:cacheprovider", "--tb=short", *words]
        return self._nursery_for(touched).run(arguments, self._output)
