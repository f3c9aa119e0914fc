"""Addresses: read, written as they were read, and refused in words that say what is wanted."""

import pytest

from control_plane.model.address import Address, SocketPath, parse_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("0.0.0.0:80", Address("0.0.0.0", 80)),
        ("[::1]:80", Address("::1", 80)),
        ("a.b:1", Address("a.b", 1)),
        ("unix:/run/t/a.sock", SocketPath("/run/t/a.sock")),
    ],
)
def test_addresses_are_read(text: str, address: Address | SocketPath) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize("text", ["10.0.0.1:80", "localhost:0", "[::1]:8080", "unix:/a"])
def test_an_address_is_written_as_it_was_read(text: str) -> None:
    assert str(parse_address(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        *("", ":80", "a", "a:", "a:b", "::1:80", "[]:80", "a:-1", "a:1²"),
        *("80", "host", "host:", "host:http"),
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not an address of the form host:port"):
        parse_address(text)


@pytest.mark.parametrize("text", ["unix:", "unix:a.sock", f"unix:/{'a' * 107}"])
def test_what_is_no_path_of_a_socket_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not an absolute path of at most 107 bytes"):
        parse_address(text)
