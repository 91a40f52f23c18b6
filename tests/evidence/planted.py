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


class Greenhouse:
    """A copy of the project in which defects are planted one after the other."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "project"
        self._output = folder / "output"
        self._planted = 0
        self._environment = {"PYTHONPYCACHEPREFIX": str(folder / "bytecode"), **os.environ}
        self._environment.pop("PYTHONDONTWRITEBYTECODE", None)
        shutil.copytree(ROOT, self.root, ignore=LEFT_OUT)
        self._nursery = subprocess.Popen(
            [sys.executable, str(NURSERY), str(self.root)],
            env=self._environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._nursery.communicate(timeout=60)

    def caught_by(self, plant: Plant) -> list[str]:
        """Plant one defect and give what caught it. Raises ValueError when the patch does not fit any more."""
        self._planted += 1
        times = {path: path.stat().st_mtime for path in self._touched(plant)}
        self._apply(plant)
        for path, time in times.items():
            os.utime(
                path, (time, time + self._planted)
            )  # bytecode is known by its second: none may look like another's
        try:
            return [one for one in plant.caught_by if self._fails(one)]
        finally:
            self._apply(plant, "--reverse")
            for path, time in times.items():
                os.utime(path, (time, time))

    def _touched(self, plant: Plant) -> list[Path]:
        marks = [line.removeprefix("+++ b/") for line in plant.patch.read_text().splitlines() if line[:6] == "+++ b/"]
        return [path for path in (self.root / mark for mark in marks) if path.exists()]

    def _apply(self, plant: Plant, *options: str) -> None:
        command = ["git", "apply", "--whitespace=nowarn", *options, str(plant.patch)]
        environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(self.root.parent)}
        done = subprocess.run(command, cwd=self.root, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ValueError(f"{plant.patch.name} does not fit the code: {done.stderr.strip()}")

    def _fails(self, catcher: str) -> bool:
        words = catcher.split()
        code = self._simulate(words) if words[0] == "simulate" else self._test(words)
        if code not in (0, FAILED_TESTS):
            raise ValueError(f"{catcher} could not run: {self._output.read_text()[-800:]}")
        return code == FAILED_TESTS

    def _simulate(self, words: list[str]) -> int:
        command = [sys.executable, "manage.py", *words, "--json"]
        with self._output.open("w") as output:
            return subprocess.call(command, cwd=self.root, env=self._environment, stdout=output, stderr=output)

    def _test(self, words: list[str]) -> int:
        arguments = ["-q", "-x", "--nomigrations", "-p", "no:cacheprovider", *words]
        assert self._nursery.stdin is not None
        assert self._nursery.stdout is not None
        self._nursery.stdin.write(json.dumps({"arguments": arguments, "output": str(self._output)}) + "\n")
        self._nursery.stdin.flush()
        return int(self._nursery.stdout.readline())
