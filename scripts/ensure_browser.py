"""Makes a Chromium available to the browser tests where this machine allows; says so where it does not.

In CI a missing browser is an error.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC_PATHS = (
    Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
    Path("/Applications/Chromium.app/Contents/MacOS/Chromium"),
)
APT_TIMEOUT_S = 600
DOWNLOAD_TIMEOUT_S = 300


def find_browser() -> str | None:
    """Give the path of a Chromium: CHROMIUM, the system's, or the one that playwright keeps."""
    named = os.environ.get("CHROMIUM", "")
    if named:
        return named if os.access(named, os.X_OK) else None
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    return found or next((str(path) for path in MAC_PATHS if path.exists()), None) or _downloaded()


def install_browser() -> str | None:
    """Install one: as root by the system's packages, else playwright's own into the user's cache."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        attempts: list[tuple[Sequence[str], int]] = [
            (("apt-get", "update", "-qq"), APT_TIMEOUT_S),
            (("apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"), APT_TIMEOUT_S),
        ]
    else:
        attempts = [((sys.executable, "-m", "playwright", "install", "chromium"), DOWNLOAD_TIMEOUT_S)]
    for command, timeout_s in attempts:
        if not _succeeds(command, timeout_s):
            return None
    return find_browser()


def _downloaded() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def _succeeds(command: Sequence[str], timeout_s: int) -> bool:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(  # noqa: S603 (our own command lines)
            command,
            timeout=timeout_s,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def main() -> int:
    """Report in at most one line; exit code 1 only in CI."""
    if find_browser() or install_browser():
        return 0
    is_ci = os.environ.get("CI", "").lower() in ("1", "true")
    outcome = "an error in CI" if is_ci else "the browser tests will be skipped"
    sys.stderr.write(
        f"No Chromium was found and none could be installed: {outcome}. Install chromium, or set CHROMIUM.\n"
    )
    return 1 if is_ci else 0


if __name__ == "__main__":
    sys.exit(main())
