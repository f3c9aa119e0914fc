"""TLS of the ingress listener: what is read, what Envoy speaks, and what renewing does."""

import asyncio
import shutil
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import h2.connection
import h2.events
import pytest

from control_plane.model.errors import StartupError
from control_plane.settings import Tls
from control_plane.xds.certificate import Certificate, CertificateFiles
from tests.xds.certificates import signed
from tests.xds.gateway import TO, Gateway, eventually, running_gateway


@pytest.fixture
def pair(tmp_path: Path) -> Tls:
    """A certificate and its key where an operator would put them."""
    folder = tmp_path / "tls"
    folder.mkdir()
    place(folder, signed(tmp_path, "localhost"))
    return Tls(certificate=str(folder / "tls.crt"), key=str(folder / "tls.key"))


def place(folder: Path, both: Path) -> None:
    for name, source in (
        ("tls.crt", both.with_suffix(".crt")),
        ("tls.key", both.with_suffix(".key")),
    ):
        shutil.copyfile(source, folder / name)


def test_without_a_certificate_there_is_none() -> None:
    assert CertificateFiles(Tls()).content is None


def test_a_missing_file_is_one_line_that_names_it(pair: Tls) -> None:
    Path(pair.key).unlink()

    with pytest.raises(StartupError, match=r"^tls: .*/tls\.key: No such file or directory$"):
        CertificateFiles(pair)


def test_a_key_of_another_certificate_is_refused(pair: Tls, tmp_path: Path) -> None:
    shutil.copyfile(signed(tmp_path, "elsewhere").with_suffix(".key"), pair.key)

    with pytest.raises(StartupError, match="are no pair: KEY_VALUES_MISMATCH"):
        CertificateFiles(pair)


@pytest.mark.parametrize("content", ["", "no certificate"])
def test_what_is_no_certificate_is_refused(pair: Tls, content: str) -> None:
    Path(pair.certificate).write_text(content)

    with pytest.raises(StartupError, match=r"^tls: .* are no pair: [^\n]+$"):
        CertificateFiles(pair)


def test_a_pair_that_is_renewed_while_it_is_read_is_refused(
    pair: Tls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    renewal = signed(tmp_path, "renewed.example.org")
    load = ssl.SSLContext.load_cert_chain

    def renew_and_load(context: ssl.SSLContext, *files: str, password: str) -> None:
        place(Path(pair.certificate).parent, renewal)
        load(context, *files, password=password)

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", renew_and_load)

    with pytest.raises(StartupError, match="is being written"):
        CertificateFiles(pair)


def test_the_key_is_not_shown(pair: Tls) -> None:
    found = CertificateFiles(pair).content
    assert found is not None

    assert "PRIVATE KEY" in found.key.decode()
    assert "PRIVATE" not in repr(found)
    assert "PRIVATE" not in repr(found.resource())


async def test_a_renewed_pair_is_told_once_and_half_a_pair_never(pair: Tls, tmp_path: Path) -> None:
    files = CertificateFiles(pair)
    first = files.content
    heard: list[Certificate | None] = []
    renewal = signed(tmp_path, "renewed.example.org")

    async def renewed() -> None:
        heard.append(files.content)

    shutil.copyfile(renewal.with_suffix(".crt"), pair.certificate)
    watch = asyncio.create_task(files.watch(renewed, 0.01))
    await asyncio.sleep(0.1)
    assert files.content is first
    assert heard == []
    shutil.copyfile(renewal.with_suffix(".key"), pair.key)
    await eventually(lambda: bool(heard))
    watch.cancel()

    assert files.content != first
    assert heard == [files.content]


@pytest.fixture
async def gateway(pair: Tls, tmp_path: Path) -> AsyncIterator[Gateway]:
    certificate = CertificateFiles(pair).content
    async with running_gateway(tmp_path, certificate=certificate) as gateway:
        yield gateway


def trusting(folder: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(folder / "ca.pem"))


@pytest.mark.envoy
async def test_http1_over_tls_is_verified_and_pods_hear_of_https(
    gateway: Gateway, tmp_path: Path
) -> None:
    url = f"https://localhost:{gateway.options.listen.rpartition(':')[2]}/compute/v2.1"
    connector = aiohttp.TCPConnector(ssl=trusting(tmp_path))
    headers = {TO: "Pod1/compute", "x-forwarded-proto": "http"}
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.get(url, headers=headers) as answer,
    ):
        body = await answer.json()

    assert answer.status == 200
    # Of the connection, whatever the client says: links are built from it.
    assert body["headers"]["x-forwarded-proto"] == "https"
    assert gateway.processor.seen[-1]["x-forwarded-proto"] == "https"


@pytest.mark.envoy
async def test_http2_is_offered_over_tls(gateway: Gateway, tmp_path: Path) -> None:
    status = await asyncio.to_thread(ask_by_http2, gateway, trusting(tmp_path))

    assert status == "200"
    assert gateway.processor.seen[-1]["x-forwarded-proto"] == "https"


def ask_by_http2(gateway: Gateway, context: ssl.SSLContext) -> str:
    """Send one request and give its status."""
    context.set_alpn_protocols(["h2", "http/1.1"])
    host, _, port = gateway.options.listen.rpartition(":")
    with (
        socket.create_connection((host, int(port)), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as tls,
    ):
        assert tls.selected_alpn_protocol() == "h2"
        connection = h2.connection.H2Connection()
        connection.initiate_connection()
        connection.send_headers(
            1,
            [
                (":method", "GET"),
                (":path", "/compute/v2.1"),
                (":scheme", "https"),
                (":authority", "localhost"),
                (TO, "Pod1/compute"),
            ],
            end_stream=True,
        )
        while True:
            tls.sendall(connection.data_to_send())
            for event in connection.receive_data(tls.recv(65536)):
                if isinstance(event, h2.events.ResponseReceived):
                    return dict(event.headers)[b":status"].decode()


@pytest.mark.envoy
async def test_what_is_older_than_tls_1_2_and_plain_http_are_refused(gateway: Gateway) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1 is deprecated"):
        context.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1_1 is deprecated"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1

    for connector in (aiohttp.TCPConnector(ssl=context), aiohttp.TCPConnector()):
        scheme = "http" if connector._ssl is True else "https"
        async with aiohttp.ClientSession(connector=connector) as session:
            with pytest.raises(aiohttp.ClientError):
                await session.get(f"{scheme}://{gateway.options.listen}/compute/v2.1")


@pytest.mark.envoy
async def test_who_begins_no_handshake_does_not_stay(pair: Tls, tmp_path: Path) -> None:
    certificate = Certificate.read(Path(pair.certificate), Path(pair.key))
    async with running_gateway(
        tmp_path, certificate=certificate, request_headers_timeout=0.2
    ) as gateway:
        host, _, port = gateway.options.listen.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))

        async with asyncio.timeout(20):
            assert await reader.read() == b""
        writer.close()


@pytest.mark.envoy
async def test_a_renewed_certificate_is_served_while_open_connections_go_on(
    gateway: Gateway, pair: Tls, tmp_path: Path
) -> None:
    assert gateway.envoy is not None
    port = int(gateway.options.listen.rpartition(":")[2])
    headers = {TO: "Pod1/compute"}
    place(Path(pair.certificate).parent, signed(tmp_path, "renewed.example.org"))
    files = CertificateFiles(pair)

    async def names() -> str:
        return await asyncio.to_thread(ssl.get_server_certificate, ("127.0.0.1", port))

    before = await names()
    # One connection, kept open over the change.
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1, ssl=False)) as session:
        async with session.get(f"{gateway.url}/compute/v2.1", headers=headers) as answer:
            assert answer.status == 200
        gateway.certificate = files.content
        gateway.publish("Pod1", "Pod2")
        await gateway.synced()

        async def served() -> bool:
            return await names() != before

        await eventually(served)
        async with session.get(f"{gateway.url}/compute/v2.1", headers=headers) as answer:
            assert answer.status == 200
    assert files.content is not None
    renewed = ssl.PEM_cert_to_DER_cert(files.content.chain.decode())
    assert ssl.PEM_cert_to_DER_cert(await names()) == renewed
    assert not any((await gateway.envoy.stats("listener_manager.listener_modified")).values())


@pytest.mark.envoy
async def test_a_certificate_envoy_refuses_leaves_the_last_one(gateway: Gateway) -> None:
    good = gateway.certificate
    assert good is not None
    gateway.certificate = Certificate(b"nothing", good.key)
    gateway.publish("Pod1", "Pod2")

    await eventually(
        lambda: any(status.reason for node in gateway.discovery.nodes() for status in node.types)
    )
    async with gateway.session.get(
        f"{gateway.url}/compute/v2.1", headers={TO: "Pod1/compute"}
    ) as answer:
        assert answer.status == 200
