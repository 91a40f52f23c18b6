"""Planted defects: patches that make the product wrong, each to be caught by the tests that its head names.

A patch in tests/planted begins with `What: ...` and one or more `Caught-by: ...` lines, each a pytest node id or
`simulate ...` with the arguments of that command; the unified diff follows.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "tests" / "planted"
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
        shutil.copytree(ROOT, self.root, ignore=LEFT_OUT)

    def caught_by(self, plant: Plant) -> list[str]:
        """Plant one defect and give what caught it. Raises ValueError when the patch does not fit any more."""
        self._apply(plant)
        try:
            return [one for one in plant.caught_by if self._fails(one)]
        finally:
            self._apply(plant, "--reverse")

    def _apply(self, plant: Plant, *options: str) -> None:
        command = ["git", "apply", "--whitespace=nowarn", *options, str(plant.patch)]
        environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(self.root.parent)}
        done = subprocess.run(command, cwd=self.root, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ValueError(f"{plant.patch.name} does not fit the code: {done.stderr.strip()}")

    def _fails(self, catcher: str) -> bool:
        words = catcher.split()
        if words[0] == "simulate":
            command = [sys.executable, "manage.py", *words, "--json"]
        else:
            command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *words]
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(command, cwd=self.root, env=environment, capture_output=True, text=True, check=False)
        if done.returncode > FAILED_TESTS:
            raise ValueError(f"{catcher} could not run: {(done.stdout + done.stderr)[-800:]}")
        return done.returncode == FAILED_TESTS
