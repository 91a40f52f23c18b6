"""Certificates of a broker on loopback: one that is good, one that has expired, and the authority behind both."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

TODAY = datetime(2026, 11, 23, tzinfo=UTC)
"""Of the made-up authority; the good certificate holds for decades around it, whatever the day of the test is."""


class Authority:
    """Signs certificates for 127.0.0.1. `trusting` is what a client has that believes it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a broker's authority")])
        root = self._made(self._name, self._key, timedelta(days=20_000)).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        signed = root.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        self.trusting = ssl.create_default_context(cadata=signed.decode())

    def serving(self, *, is_expired: bool) -> ssl.SSLContext:
        """Give what a server has whose certificate is good, or ended yesterday."""
        key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
        until = datetime.now(UTC) - timedelta(days=1) - TODAY if is_expired else timedelta(days=20_000)
        made = self._made(name, key, until).add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=True
        )
        path = self._folder / f"expired-{is_expired}.pem"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def _made(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, until: timedelta) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(TODAY - timedelta(days=20_000))
            .not_valid_after(TODAY + until)
        )
