"""A feed and a REST API that nobody should believe (F10): the true ones behind TLS with a certificate of no authority.

It listens at two ports of its own while a rule `impostor` is in force. A client that checks certificates fails in the
handshake; one that does not is served like by the true exchange.
"""

import ssl
import tempfile
from datetime import UTC, datetime
from ipaddress import IPv4Address
from pathlib import Path

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from trading.exchange.faults import Faults
from trading.exchange.faults.places import CLOCK
from trading.exchange.faults.rules import Target
from trading.exchange.kite import KiteFace
from trading.exchange.listening import HOST, listen, serve

VALID_FROM, VALID_UNTIL = datetime(2020, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC)


class Impostor:
    """Follows the rules: up while one asks for it, down when it is gone."""

    def __init__(self, faults: Faults, face: KiteFace) -> None:
        self._faults = faults
        self._face = face
        self._runners: list[web.AppRunner] = []
        self.places: dict[str, str] = {}
        """`rest` and `ws`, empty while it is down."""

    async def follow(self) -> None:
        """Start or stop as the rules have it now."""
        wanted = next((rule for rule in self._faults.rules.values() if rule.action == "impostor"), None)
        if wanted is not None and not self._runners:
            await self._start()
            self._faults.inject(wanted, Target(CLOCK), f"{self.places['rest']} {self.places['ws']}")
        elif wanted is None and self._runners:
            await self.stop()

    async def _start(self) -> None:
        context = _context()
        for name, scheme, app in (
            ("rest", "https", self._face.rest_app()),
            ("ws", "wss", self._face.ticker_app()),
        ):
            listener = listen(0, 0)
            self._runners.append(await serve(app, listener, context))
            self.places[name] = f"{scheme}://{HOST}:{listener.getsockname()[1]}"

    async def stop(self) -> None:
        """Close both ports."""
        runners, self._runners, self.places = self._runners, [], {}
        for runner in runners:
            await runner.cleanup()


def _context() -> ssl.SSLContext:
    """Make a key and sign its certificate with itself; both are forgotten with the process."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "impostor.pem"
        path.touch(mode=0o600)
        path.write_bytes(_certificate())
        context.load_cert_chain(path)
    return context


def _certificate() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "api.kite.trade")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(VALID_FROM)
        .not_valid_after(VALID_UNTIL)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address(HOST))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return secret + certificate.public_bytes(serialization.Encoding.PEM)
