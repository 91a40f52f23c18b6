"""What the browser tests share: how Chromium is started, and the accessibility checker of the theme's packages."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

THEME = Path(__file__).resolve().parents[2] / "theme" / "static_src"
AXE = THEME / "node_modules" / "axe-core" / "axe.min.js"
PATIENCE_MS = 30_000
expect.set_options(timeout=PATIENCE_MS)  # playwright's own are five seconds
INSTALL = ("install", "--no-save", "--no-audit", "--no-fund")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


NO_SCRIPTS = "--blink-settings=scriptEnabled=false"
"""The whole browser without JavaScript, as a person switches it off: then it also shows <noscript>."""


@contextmanager
def chromium(path: str, *more: str) -> Iterator[Browser]:
    """Run one browser."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=[*ARGUMENTS, *more])
        yield running
        running.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """Give the source of axe-core; without npm and a registry the test is skipped."""
    npm = shutil.which("npm")
    if not AXE.exists() and npm is not None:
        subprocess.run([npm, *INSTALL], cwd=THEME, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if not AXE.exists():
        pytest.skip("axe-core is not installed: it needs npm and a package registry")
    return AXE.read_text()
