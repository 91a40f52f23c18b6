"""Renders every page in both themes, on a desk and on a phone, from a seeded day, into docs/screenshots.

It starts a stack of its own in a temporary state directory, lets the market run into the morning, and looks at the
pages as a client, as the operator and as a visitor; then it lets the day end for the reports. With `--renew` it also
takes anew the pictures that are committed: the README's, and those of the landing page (`make assets` afterwards).
"""

import argparse
import base64
import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from playwright.sync_api import Error as BrowserError

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from scripts.ensure_browser import find_browser  # noqa: E402 (the path first)
from trading.services.running_stack import StackFile, StackView  # noqa: E402

DAY, SEED, SPEED = "2026-11-23", "11", "600"
MORNING, EVENING = "10:08:00", "15:44:00"
"""In the morning of this seed the client holds two positions, one of them at T3."""
STARTS_WITHIN_S, DAY_TAKES_S = 120.0, 300.0
SETTLES_MS = 800
"""Wire time for fonts, the first snapshot of the live socket, and charts."""
REDRAWS_MS, HIGHEST = 300, 4000
CLIENT, OPERATOR = "asha@demo.local", "operator@demo.local"
DEVICES = {"desktop": (1440, 900), "phone": (390, 844)}
THEMES = ("dark", "light")

VISITOR_PAGES = {"landing": "/", "sign-up": "/accounts/signup/", "sign-in": "/accounts/login/"}
CLIENT_PAGES = {
    "dashboard": "/dashboard/",
    "positions": "/positions/",
    "orders": "/orders/",
    "watchlist": "/watchlist/",
    "watchlist-line": "first:/watchlist/:a[href^='/watchlist/'][aria-label^='Change']",
    "search": "/watchlist/add/?q=infy",
    "order-why": "first:/orders/:a[href^='/orders/']:not([href='/orders/'])",
    "reconciliation": "/reconciliation/",
    "onboarding": "/onboarding/",
    "settings": "/settings/",
    "settings-brokers": "/settings/brokers/",
    "settings-limits": "/settings/limits/",
    "settings-alarms": "/settings/alarms/",
    "alarms": "/alarms/",
    "demo-mail": "/demo/mail/",
    "demo-brokers": "/demo/brokers/",
}
OPERATOR_PAGES = {
    "operator": "/operator/",
    "operator-alarms": "/alarms/",
    "operator-reconciliation": "/reconciliation/",
    "operator-caps": "/operator/caps/",
    "status": "/status/",
    "settings-feed": "/settings/feed/",
}
README_PICTURE = ROOT / "docs" / "pictures" / "dashboard-desktop-dark.png"
LANDING_PICTURES = ROOT / "theme" / "static_src" / "src" / "img"
PHONE_CLIP, PHONE_SCALE = {"x": 0, "y": 0, "width": 390, "height": 650}, 2
WEBP_QUALITY, WEBP_WIDTH = 0.82, {"desktop": 1160, "phone": 780}
"""Twice the pixels at which the landing page shows them."""
TO_WEBP = """async ([png, quality, width]) => {
  const image = new Image();
  image.src = `data:image/png;base64,${png}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, Math.round((width * image.naturalHeight) / image.naturalWidth)];
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL("image/webp", quality).split(",")[1];
}"""
EVENING_PAGES = {"reports": "/reports/", "report-day": f"/reports/{DAY}/", "dashboard-evening": "/dashboard/"}


def main() -> int:
    """Take the pictures. 1 when there is no browser or the stack does not come up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "screenshots")
    parser.add_argument("--only", default="", help="part of a page's name")
    parser.add_argument("--renew", action="store_true", help="only the committed pictures")
    options = parser.parse_args()
    browser_path = find_browser()
    if browser_path is None:
        sys.stderr.write("screenshots: no Chromium was found\n")
        return 1
    options.out.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="algosystem-pictures-") as folder,
        running_stack(Path(folder)) as stack,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        pictures = Pictures(browser, stack, options.out, options.only)
        count = pictures.renew() if options.renew else pictures.take()
        browser.close()
    sys.stdout.write(f"{count} pictures {'renewed' if options.renew else f'in {options.out}'}\n")
    return 0


@contextmanager
def running_stack(state_dir: Path) -> Iterator[StackView]:
    """Start a stack, wait until its pages answer, and end it afterwards."""
    command = [sys.executable, "manage.py", "run_stack", "--state-dir", str(state_dir)]
    command += ["--day", DAY, "--seed", SEED, "--speed", SPEED]
    with (state_dir / "stack.log").open("w") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, stdin=subprocess.DEVNULL)  # noqa: S603
        try:
            yield _wait_until_up(process, state_dir)
        finally:
            process.terminate()
            process.wait()


def _wait_until_up(process: "subprocess.Popen[bytes]", state_dir: Path) -> StackView:
    deadline = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < deadline and process.poll() is None:
        stack = StackFile(state_dir).read()
        if stack is not None and all(one.state == "running" for one in stack.processes) and _answers(stack.url):
            return stack
        time.sleep(0.3)
    raise SystemExit(f"screenshots: the stack did not come up\n{(state_dir / 'stack.log').read_text()[-2000:]}")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):  # noqa: S310 (our own page)
            return True
    except OSError:
        return False


class Pictures:
    """One browser, one running stack, one folder."""

    def __init__(self, browser: Browser, stack: StackView, out: Path, only: str) -> None:
        self._browser = browser
        self._stack = stack
        self._out = out
        self._only = only
        self._passwords = {person["email"]: person["password"] for person in stack.sign_in}
        self._count = 0

    def take(self) -> int:
        """Give how many were taken."""
        self._run_until(MORNING)
        self._all("", VISITOR_PAGES)
        self._all(CLIENT, CLIENT_PAGES)
        self._all(OPERATOR, OPERATOR_PAGES)
        if self._wanted(EVENING_PAGES):
            self._run_until(EVENING)
            self._all(CLIENT, EVENING_PAGES)
        return self._count

    def renew(self) -> int:
        """Take the README's and the landing page's pictures of the desk; give how many."""
        self._run_until(MORNING)
        for theme in THEMES:
            for device, name in (("desktop", f"desk-{theme}.webp"), ("phone", f"desk-phone-{theme}.webp")):
                picture = self._desk(device, theme)
                (LANDING_PICTURES / name).write_bytes(self._to_webp(picture, WEBP_WIDTH[device]))
                if (device, theme) == ("desktop", "dark"):
                    README_PICTURE.write_bytes(picture)
                self._count += 1
        return self._count

    def _desk(self, device: str, theme: str) -> bytes:
        """Take the client's dashboard as the window shows it; of a phone the upper part, in twice the pixels."""
        context = self._context(device, CLIENT, scale=PHONE_SCALE if device == "phone" else 1)
        context.add_cookies([{"name": "theme", "value": theme, "url": self._stack.url}])
        page = context.new_page()
        page.goto("/dashboard/")
        page.wait_for_timeout(3 * SETTLES_MS)  # the first candles of the day come from the broker
        clip = PHONE_CLIP if device == "phone" else None
        picture: bytes = page.screenshot(animations="disabled", clip=clip)  # type: ignore[arg-type]
        context.close()
        return picture

    def _to_webp(self, picture: bytes, width: int) -> bytes:
        page = self._browser.new_page()
        text = str(page.evaluate(TO_WEBP, [base64.b64encode(picture).decode(), WEBP_QUALITY, width]))
        page.close()
        return base64.b64decode(text)

    def _wanted(self, pages: dict[str, str]) -> dict[str, str]:
        return {name: path for name, path in pages.items() if self._only in name}

    def _all(self, email: str, pages: dict[str, str]) -> None:
        pages = self._wanted(pages)
        if not pages:
            return
        for device in DEVICES:
            context = self._context(device, email)
            for theme in THEMES:
                context.add_cookies([{"name": "theme", "value": theme, "url": self._stack.url}])
                for name, path in pages.items():
                    self._one(context, path, self._out / f"{name}-{device}-{theme}.png")
            context.close()

    def _context(self, device: str, email: str, *, scale: float = 1) -> BrowserContext:
        """Open a browser of that size in which somebody has signed in, or with no address nobody."""
        width, height = DEVICES[device]
        context = self._browser.new_context(
            viewport={"width": width, "height": height},
            device_scale_factor=scale,
            base_url=self._stack.url,
            reduced_motion="reduce",
        )
        if email:
            self._sign_in(context, email)
        return context

    def _sign_in(self, context: BrowserContext, email: str) -> None:
        page = context.new_page()
        page.goto("/accounts/login/")
        page.fill("input[name=login]", email)
        page.fill("input[name=password]", self._passwords[email])
        page.press("input[name=password]", "Enter")
        page.wait_for_url(lambda url: "/accounts/login/" not in url)
        page.close()

    def _one(self, context: BrowserContext, path: str, target: Path) -> None:
        page = context.new_page()
        try:
            if _open(page, path):
                page.wait_for_timeout(SETTLES_MS)
                _grow(page)
                page.screenshot(path=target, animations="disabled")
                self._count += 1
        except BrowserError as error:
            sys.stderr.write(f"screenshots: {path} could not be drawn: {error.message.splitlines()[0]}\n")
        finally:
            page.close()

    def _run_until(self, moment: str) -> None:
        """Let the market run and wait until it stands still at that time."""
        self._control({"run_until": moment})
        deadline = time.monotonic() + DAY_TAKES_S
        while time.monotonic() < deadline:
            said = self._control()
            if said["now"][11:19] >= moment or said["finished"]:
                time.sleep(SETTLES_MS / 1000)  # the worker's tasks of that minute
                return
            time.sleep(0.5)
        sys.stderr.write(f"screenshots: the market did not reach {moment}\n")

    def _control(self, body: dict[str, Any] | None = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        url = f"{self._stack.environment['ALGO_CONTROL_URL']}/clock"
        request = urllib.request.Request(url, data=data, headers={"Content-Type": "application/json"})  # noqa: S310
        with urllib.request.urlopen(request, timeout=10) as reply:  # noqa: S310
            said: dict[str, Any] = json.load(reply)
        return said


def _open(page: Page, path: str) -> bool:
    """Open a page, or follow the first link that `first:<page>:<selector>` names; False when there is none."""
    if not path.startswith("first:"):
        reply = page.goto(path)
        return reply is not None and reply.ok
    _, start, selector = path.split(":", 2)
    page.goto(start)
    link = page.locator(selector).first
    href = link.get_attribute("href") if link.count() else None
    reply = page.goto(href) if href else None
    return reply is not None and reply.ok


def _grow(page: Page) -> None:
    """Make the window as high as the page, so that what sticks to its lower edge stays there."""
    size = page.viewport_size
    height = int(page.evaluate("document.documentElement.scrollHeight"))
    if size is not None and height > size["height"]:
        page.set_viewport_size({"width": size["width"], "height": min(height, HIGHEST)})
        page.wait_for_timeout(REDRAWS_MS)


if __name__ == "__main__":
    sys.exit(main())
