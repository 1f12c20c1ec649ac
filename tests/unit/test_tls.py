"""Certificates are looked at as the operator has told LiteLLM: everywhere, on a deployment, or as usual."""

import asyncio
import datetime
import ipaddress
import ssl
from pathlib import Path

import litellm
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from litellm_imagegen.codec import Call
from litellm_imagegen.errors import ProviderUnavailable
from litellm_imagegen.plugin import config
from litellm_imagegen.plugin.config import Access
from litellm_imagegen.transport import Deadline, Transport

MODEL = "imagegen/gemini/gemini-3-pro-image"
HOST = "127.0.0.1"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a certificate that nobody has signed, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return path


async def asked(certificate: Path, ssl_verify: bool | str | None) -> int:
    """The status of a call to a provider with that certificate."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        await writer.drain()
        writer.close()

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    server = await asyncio.start_server(answer, HOST, 0, ssl=context)
    async with server:
        base = f"https://{HOST}:{server.sockets[0].getsockname()[1]}/v1beta"
        upstream = config.upstream_of(MODEL)
        access = Access(api_key="a-key", api_base=base, ssl_verify=ssl_verify)
        endpoint = config.endpoint(upstream, access, upstream.provider.wire(upstream.model))
        call, deadline = Call(method="GET", path="models"), Deadline("gemini", 20)
        async with Transport().open(call, endpoint, deadline, 1000) as opened:
            return opened.status


@pytest.fixture(autouse=True)
def as_usual(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SSL_VERIFY", "SSL_CERT_FILE", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


def test_a_certificate_that_nobody_has_signed_is_not_trusted(certificate: Path) -> None:
    with pytest.raises(ProviderUnavailable):
        asyncio.run(asked(certificate, None))


def test_it_is_where_a_deployment_names_it_or_looks_at_none(certificate: Path) -> None:
    for ssl_verify in (str(certificate), False):
        assert asyncio.run(asked(certificate, ssl_verify)) == 200


def test_it_is_where_all_of_the_proxy_does(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(litellm, "ssl_verify", False)
    assert asyncio.run(asked(certificate, None)) == 200
    monkeypatch.setattr(litellm, "ssl_verify", True)
    monkeypatch.setenv("SSL_VERIFY", str(certificate))
    assert asyncio.run(asked(certificate, None)) == 200


def test_a_deployment_goes_before_the_proxy(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(litellm, "ssl_verify", False)
    with pytest.raises(ProviderUnavailable):
        asyncio.run(asked(certificate, ssl_verify=True))
