"""The options of `run_exchange`, in groups, and the words around them in `--help`."""

from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

HELP = """\
The simulated exchange: Kite Connect v3 (REST, login page, ticker, postbacks) on loopback, with a market, a ledger and a
market clock of its own, and a control port from which it is steered and made to misbehave. It needs no database, no
Redis and no account anywhere. Without options the next trading day begins at 09:15 at real speed."""

EPILOG = """\
examples:
  manage.py run_exchange                                     the next trading day, at real speed, in var/exchange
  manage.py run_exchange --json --speed 60 > first_line      a day in seven minutes; a program reads first_line
  manage.py run_exchange --day 2026-11-23 --seed 7 --fresh   the same prices every time, from an empty ledger
  manage.py run_exchange --bars FOLDER --fresh               replay real one-minute bars
  curl -s CONTROL/users                                      everybody's keys, passwords and one-time code
  curl -s -H 'Content-Type: application/json' -d '{"run_until": "15:00:00"}' CONTROL/clock

the first line with --json:
  rest, ws, login, control (addresses), users (user_id, api_key, api_secret and a valid access_token each),
  exchange_id, day

exit codes:
  0  stopped by Ctrl-C or SIGTERM; ledger and clock are kept, the next start goes on from there
  1  an option was refused (one sentence says which and what would be right; nothing was changed), a port is taken,
     another exchange runs in the folder, or a part of the exchange broke (the log says which)
  2  an option is unknown or no number

The whole document: docs/exchange.md"""


def declare(parser: ArgumentParser, *, roles: Sequence[str]) -> None:
    """Declare every option. `roles` are the participants that the market can wait for."""
    _about_the_day(parser)
    _about_the_clock(parser, roles)
    _about_the_folder(parser)
    _about_addresses(parser)


def _about_the_day(parser: ArgumentParser) -> None:
    group = parser.add_argument_group("which day is played")
    group.add_argument("--day", metavar="DATE", help="the trading day, as 2026-11-23 (default: the next one)")
    group.add_argument("--seed", type=int, metavar="N", help="the same seed gives the same day (default 810)")
    group.add_argument("--bars", type=Path, metavar="FOLDER", help="replay minute bars (default: generated prices)")
    group.add_argument(
        "--live", action="store_true", help="no market of its own: real prices come in at /prices, time is the wall's"
    )
    group.add_argument(
        "--live-time",
        choices=("wall", "feed"),
        default="wall",
        help="feed: time is what the feeder says, for trials with a simulated broker (default wall)",
    )


def _about_the_clock(parser: ArgumentParser, roles: Sequence[str]) -> None:
    group = parser.add_argument_group("market clock")
    group.add_argument(
        "--start-at", default="09:15:00", metavar="HH:MM:SS", help="where a new day starts, IST (default 09:15:00)"
    )
    group.add_argument(
        "--speed", type=int, default=1, metavar="N", help="market seconds a second at the most, 1 to 600 (default 1)"
    )
    group.add_argument(
        "--pace",
        choices=("hold", "free"),
        default="hold",
        help="hold: each step waits for those who joined at /participate; free: never waits (default hold)",
    )
    group.add_argument(
        "--expect",
        default="",
        metavar="ROLES",
        help=f"do not begin before these have joined: any of {','.join(roles)} (default: nobody)",
    )


def _about_the_folder(parser: ArgumentParser) -> None:
    group = parser.add_argument_group("accounts, and what is kept")
    group.add_argument(
        "--state-dir",
        type=Path,
        metavar="DIR",
        help="ledger and clock are kept in DIR/exchange (default $ALGO_STATE_DIR, else var)",
    )
    group.add_argument(
        "--accounts",
        type=int,
        default=0,
        metavar="N",
        help="so many free accounts besides the eight: ZZ0001, ZZ0002 ... (default 0)",
    )
    group.add_argument("--fresh", action="store_true", help="empty ledger and clock first: another exchange begins")


def _about_addresses(parser: ArgumentParser) -> None:
    group = parser.add_argument_group("addresses")
    group.add_argument("--json", action="store_true", help="print one line of JSON that is all a program needs")
    for name, what in (("rest", "REST and login page"), ("ws", "ticker"), ("control", "control port")):
        group.add_argument(
            f"--{name}-port",
            type=int,
            default=0,
            metavar="PORT",
            help=f"{what}, on 127.0.0.1 (default 0: the port of the last start, else a free one)",
        )
    group.add_argument(
        "--redirect-url",
        default="",
        metavar="URL",
        help="where the login page sends users back to (default: this project's own callback on port 8000)",
    )
    group.add_argument(
        "--postback-url", default="", metavar="URL", help="where order postbacks are sent (default: nowhere)"
    )
