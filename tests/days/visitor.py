"""A person's browser without a screen, in front of a site on this machine, or behind a proxy that speaks https."""

import re
import urllib.parse
from http.cookiejar import DefaultCookiePolicy

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

HOST = "algo.example"
ANSWERS_WITHIN_S = 60.0


class Visitor:
    """Keeps cookies and fills in forms. `port` is the web process's; with `is_proxied` it sees what a proxy adds."""

    def __init__(self, port: int, *, is_proxied: bool) -> None:
        self._root = f"http://127.0.0.1:{port}"
        self._session = requests.Session()
        self._session.trust_env = False
        # As browsers do: a kept connection that the server closed just now is no error, the page is asked for again.
        again = Retry(total=None, connect=0, read=2, allowed_methods=("GET",), status=0, redirect=False)
        self._session.mount("http://", HTTPAdapter(max_retries=again))
        # The browser speaks https to the proxy: cookies that only travel so are kept here and sent by `_ask`.
        self._session.cookies.set_policy(DefaultCookiePolicy(secure_protocols=("http", "https")))
        if is_proxied:
            proxied = {"Host": HOST, "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"}
            self._session.headers.update(proxied | {"Referer": f"https://{HOST}/"})

    def get(self, path: str) -> requests.Response:
        """Open a page, and the one it leads on to within the site."""
        return self._follow(self._ask("GET", path))

    def submit(self, path: str, **fields: str) -> requests.Response:
        """Open a page and send its form; gives the answer itself, also when that is a redirect."""
        page = self.get(path)
        assert page.ok, f"{path} answered {page.status_code}"
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        assert found is not None, f"{path} has no form"
        return self._ask("POST", path, {**fields, "csrfmiddlewaretoken": found.group(1)})

    @property
    def cookies(self) -> dict[str, str]:
        """Give every cookie by name."""
        return {cookie.name: cookie.value or "" for cookie in self._session.cookies}

    @property
    def cookie_header(self) -> str:
        """Give all of them as a request carries them."""
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def _follow(self, reply: requests.Response) -> requests.Response:
        while reply.is_redirect:
            target = urllib.parse.urlsplit(reply.headers["Location"])
            assert target.netloc in ("", HOST), f"sent away to {target.netloc}"
            reply = self._ask("GET", f"{target.path}?{target.query}")
        return reply

    def _ask(self, method: str, path: str, fields: dict[str, str] | None = None) -> requests.Response:
        return self._session.request(
            method,
            self._root + path,
            data=fields,
            headers={"Cookie": self.cookie_header},
            allow_redirects=False,
            timeout=ANSWERS_WITHIN_S,
        )


def sign_in_at_the_broker(login_url: str, user: dict[str, str]) -> str:
    """Fill in the broker's own login page; gives the address it sends the browser back to."""
    form = {"action": "login", "user_id": user["user_id"], "password": user["password"], "totp": user["totp"]}
    reply = requests.post(login_url, form, allow_redirects=False, timeout=ANSWERS_WITHIN_S)
    assert reply.is_redirect, reply.text
    return str(reply.headers["Location"])
