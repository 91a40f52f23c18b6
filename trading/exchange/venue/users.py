"""Who has an account at the simulated broker, and the API app of each."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

DEMO_USER_IDS = ("OP1000", "AB1001", "AB1002", "AB1003", "XY2001", "XY2002", "XY2003", "XY2004")
"""The operator (feed account), three clients, and four that are free for sign-ups."""

_NAMES = {"OP1000": "Demo Operator", "AB1001": "Asha Demo", "AB1002": "Bharat Demo", "AB1003": "Chitra Demo"}


@dataclass(frozen=True, slots=True)
class User:
    """One account and its app. `app_id` is the number that postbacks carry."""

    user_id: str
    name: str
    api_key: str
    api_secret: str
    password: str
    app_id: int

    @property
    def shortname(self) -> str:
        """The first word of the name."""
        return self.name.split()[0]

    @property
    def email(self) -> str:
        """An address that reaches nobody."""
        return f"{self.user_id.lower()}@demo.local"


def secret_of(exchange_id: str, purpose: str) -> str:
    """Derive a secret that is the same at every start of one exchange and different at every other exchange."""
    return sha256(f"algosystem-exchange|{exchange_id}|{purpose}".encode()).hexdigest()[:32]


def demo_users(exchange_id: str, more: int = 0) -> dict[str, User]:
    """Make the accounts of one exchange, by user id: the demo ones, then `more` free ones from ZZ0001 on."""
    users = {}
    free = (f"ZZ{number:04d}" for number in range(1, more + 1))
    for number, user_id in enumerate((*DEMO_USER_IDS, *free), start=1001):
        low = user_id.lower()
        users[user_id] = User(
            user_id=user_id,
            name=_NAMES.get(user_id, f"Free {user_id}"),
            api_key=f"simkey{low}",
            api_secret=secret_of(exchange_id, f"api_secret:{user_id}"),
            password=f"demo-{low}",
            app_id=number,
        )
    return users


def user_sheet(users: Iterable[User], totp: str) -> list[dict[str, str]]:
    """List the accounts with everything needed to sign in."""
    return [
        {
            "user_id": user.user_id,
            "password": user.password,
            "totp": totp,
            "api_key": user.api_key,
            "api_secret": user.api_secret,
        }
        for user in users
    ]
