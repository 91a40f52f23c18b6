"""Fails when the committed browser assets are not what the sources make.

First the manifest is compared with the files, which needs nothing. Then everything is built again beside them
and compared byte by byte; that needs npm, and is skipped with a line where there is none, but never in CI.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE, BUILT = ROOT / "theme" / "static_src", ROOT / "theme" / "static"
MANIFEST = "manifest.json"
REMEDY = "run: make assets"


def files_of(folder: Path) -> dict[str, bytes]:
    """Give every file below a folder by its relative path."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def manifest_problems(files: dict[str, bytes]) -> list[str]:
    """Compare files with the manifest among them: each is listed, and none was changed."""
    listed = {entry["file"]: entry["sha256"] for entry in json.loads(files[MANIFEST])["files"]}
    present = {name: hashlib.sha256(data).hexdigest() for name, data in files.items() if name != MANIFEST}
    missing = [f"{name} is listed but not there" for name in listed.keys() - present.keys()]
    unlisted = [f"{name} is not in the manifest" for name in present.keys() - listed.keys()]
    changed = [
        f"{name} is not what the manifest says" for name in listed if present.get(name, listed[name]) != listed[name]
    ]
    return sorted(missing + unlisted + changed)


def difference(committed: dict[str, bytes], rebuilt: dict[str, bytes]) -> list[str]:
    """Name the files that a build makes differently."""
    names = committed.keys() | rebuilt.keys()
    return sorted(f"{name} is not current" for name in names if committed.get(name) != rebuilt.get(name))


def run(*command: str) -> None:
    """Run one command in the source folder; its errors are shown, its other lines are not."""
    subprocess.run(command, cwd=SOURCE, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 (our own command lines)


def rebuild(npm: str, folder: Path) -> dict[str, bytes]:
    """Build into another folder with exactly the locked packages."""
    lock, installed = SOURCE / "package-lock.json", SOURCE / "node_modules" / ".package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        # Not `npm ci`: it wants every optional platform's package in the lock, also those a registry does not serve.
        run(npm, "install", "--no-save", "--no-audit", "--no-fund")
    run(npm, "run", "--silent", "build", "--", "--out", str(folder))
    return files_of(folder)


def main() -> int:
    """Print what is wrong, one line each; 0 when nothing is."""
    committed = files_of(BUILT)
    problems = manifest_problems(committed)
    npm = shutil.which("npm")
    if npm is not None:
        with tempfile.TemporaryDirectory() as folder:
            problems += difference(committed, rebuild(npm, Path(folder)))
    elif os.environ.get("CI"):
        problems.append("npm is missing, and in CI the assets must be built again")
    else:
        sys.stdout.write("skipped: the assets were not built again, because npm is not installed\n")
    for problem in problems:
        sys.stdout.write(f"assets: {problem}\n")
    sys.stdout.write(f"{REMEDY}\n" if problems else "assets: current\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
