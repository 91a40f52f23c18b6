"""The simulated exchange from the outside: start it or join it, sign in, hold its market, make it misbehave.

Only the standard library and the official SDK. This is the part of a program that goes away when it trades for real:
there a person signs in on the broker's page, the market does not wait, and nobody asks for faults.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener, urlopen

from kiteconnect import KiteConnect

MANAGE = Path(__file__).resolve().parents[1] / "manage.py"
TIMEOUT_S = 10.0


class Simulated:
    """A running exchange. `info` is the first line of `run_exchange --json`."""

    def __init__(self, info: dict[str, Any]) -> None:
        self.info = info
        self._process: subprocess.Popen[str] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    @classmethod
    def start(cls, *words: str) -> "Simulated":
        """Start an exchange of our own in a folder that goes away with it, and wait for its first line."""
        folder = tempfile.TemporaryDirectory()
        command = [sys.executable, str(MANAGE), "run_exchange", "--json", "--state-dir", folder.name, *words]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        line = process.stdout.readline() if process.stdout else ""
        if not line:
            raise SystemExit("the exchange did not start; its own words are above")
        ours = cls(json.loads(line))
        ours._process, ours._folder = process, folder
        return ours

    @classmethod
    def join(cls, first_line: Path) -> "Simulated":
        """Use an exchange that runs already; the file holds its first line."""
        return cls(json.loads(first_line.read_text().splitlines()[0]))

    def stop(self) -> None:
        """Stop the exchange if we started it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
        if self._folder is not None:
            self._folder.cleanup()

    def user(self, user_id: str) -> dict[str, str]:
        """Give one account with its app: user_id, api_key, api_secret, password, totp. All of it is made up."""
        users = self.control("GET", "/users")["users"]
        return next(one for one in users if one["user_id"] == user_id)

    def control(self, method: str, path: str, body: object = None) -> Any:
        """Call the control port and give its JSON."""
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"{self.info['control']}{path}", data, {"Content-Type": "application/json"}, method=method)
        with urlopen(request, timeout=TIMEOUT_S) as reply:
            return json.load(reply)

    def sign_in(self, kite: KiteConnect, user: dict[str, str]) -> None:
        """Go through the login flow: page, request token, checksum, access token.

        A person fills the page in; here the account and its one-time code are made up, so the program may.
        """
        kite._default_login_uri = self.info["login"]  # `root` does not change the login page's address
        form = {name: user[name] for name in ("user_id", "password", "totp")}
        try:
            build_opener(_StayHere).open(kite.login_url(), urlencode(form).encode(), TIMEOUT_S)
        except HTTPError as answer:
            back = parse_qs(urlsplit(answer.headers.get("Location", "")).query)
            if "request_token" in back:
                kite.generate_session(
                    back["request_token"][0], user["api_secret"]
                )  # sends the checksum, keeps the token
                return
        raise SystemExit("the login page did not let us in")


class _StayHere(HTTPRedirectHandler):
    """The page sends the browser back to the app; we are the app and only read the address."""

    def redirect_request(self, *_: Any) -> None:
        return None
