"""smartapi-python is loaded without the network, without files, and without its own loud logging."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]

BLOCKED = """
import socket

def refuse(*args, **kwargs):
    raise AssertionError("the network was asked")

socket.socket.connect = socket.socket.connect_ex = refuse
socket.getaddrinfo = socket.gethostbyname = socket.create_connection = refuse
"""


def run_blocked(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run code in a fresh process in an empty folder where every way to the network raises."""
    return subprocess.run(
        [sys.executable, "-c", BLOCKED + code],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def test_the_sdk_is_imported_and_made_with_no_network_and_no_file(tmp_path: Path) -> None:
    run = run_blocked(
        "from trading.brokers.smartapi import sdk\n"
        "smart = sdk.smart_connect(public_ip='198.51.100.7')(api_key='key')\n"
        "sdk.market_socket()('auth', 'key', 'code', 'feed')\n"
        "sdk.order_socket()('auth', 'key', 'code', 'feed')\n"
        "headers = smart.requestHeaders()\n"
        "print(headers['X-ClientPublicIP'], headers['X-ClientLocalIP'])\n",
        tmp_path,
    )

    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == ["198.51.100.7", "127.0.0.1"]
    assert run.stderr == ""
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_imported_before_it_is_asked_for(tmp_path: Path) -> None:
    run = run_blocked(
        "import sys\n"
        "from trading.brokers.smartapi import sdk\n"
        "print('SmartApi' in sys.modules, 'logzero' in sys.modules)\n",
        tmp_path,
    )

    assert run.stdout.split() == ["False", "False"], run.stderr


def test_the_guard_leaves_requests_and_the_resolver_as_they_were(tmp_path: Path) -> None:
    run = run_blocked(
        "import requests\n"
        "asked, resolved = requests.get, socket.gethostbyname\n"
        "from trading.brokers.smartapi import sdk\n"
        "sdk.smart_connect(public_ip='198.51.100.7')\n"
        "print(requests.get is asked, socket.gethostbyname is resolved)\n",
        tmp_path,
    )

    assert run.stdout.split() == ["True", "True"], run.stderr


def test_a_failed_sign_in_tells_no_pin_and_no_code(tmp_path: Path) -> None:
    run = run_blocked(
        "from trading.brokers.smartapi import sdk\n"
        "smart = sdk.smart_connect(public_ip='198.51.100.7')(api_key='key')\n"
        "try:\n"
        "    smart.generateSession('A123', 'pin4711', 'totp987654')\n"
        "except BaseException:\n"
        "    pass\n",
        tmp_path,
    )

    assert "4711" not in run.stdout + run.stderr
    assert "987654" not in run.stdout + run.stderr
    assert list(tmp_path.iterdir()) == []


def test_without_the_guard_the_same_import_would_ask_the_network(tmp_path: Path) -> None:
    run = run_blocked("import SmartApi\n", tmp_path)

    assert "the network was asked" in run.stdout + run.stderr
