"""Where something listens or is reached: a TCP port, or a Unix socket on the same machine."""

from dataclasses import dataclass

_HIGHEST_PORT = 65535
#: sun_path of Linux is 108 bytes with the closing zero.
LONGEST_SOCKET_PATH = 107
_UNIX = "unix:"


@dataclass(frozen=True, slots=True)
class Address:
    """A TCP port: `10.0.0.1:80`, `localhost:80`, `[::1]:80`."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Read `host:port`; ValueError if it is none."""
        host, colon, port = text.rpartition(":")
        bracketed = host.startswith("[") and host.endswith("]")
        if bracketed:
            host = host[1:-1]
        digits = port.isascii() and port.isdigit()
        if not colon or not host or not digits or (":" in host) != bracketed:
            message = f"not an address of the form host:port: {text!r}"
            raise ValueError(message)
        if int(port) > _HIGHEST_PORT:
            message = f"no port is higher than {_HIGHEST_PORT}: {text!r}"
            raise ValueError(message)
        try:
            # As the resolver does, which raises in its own way.
            host.encode("idna")
        except UnicodeError as error:
            message = f"not the name of a host: {text!r}"
            raise ValueError(message) from error
        return cls(host, int(port))

    def numbered(self, number: int) -> "Address":
        """Give the port so many behind."""
        return Address(self.host, self.port + number)

    def __str__(self) -> str:
        """Write it as it is read."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class SocketPath:
    """A Unix socket: `unix:/run/trio2o/egress.sock`."""

    path: str

    @classmethod
    def parse(cls, text: str) -> "SocketPath":
        """Read `unix:/path`; ValueError if it is none or too long to be bound."""
        path = text.removeprefix(_UNIX)
        fits = len(path.encode()) <= LONGEST_SOCKET_PATH
        if path == text or not path.startswith("/") or not fits:
            message = f"not an absolute path of at most {LONGEST_SOCKET_PATH} bytes: {path!r}"
            raise ValueError(message)
        return cls(path)

    def numbered(self, number: int) -> "SocketPath":
        """Give the socket of that number beside it; ValueError if its path is too long."""
        return SocketPath.parse(f"{self}.{number}")

    def __str__(self) -> str:
        """Write it as it is read."""
        return f"{_UNIX}{self.path}"


#: Either of them.
AnyAddress = Address | SocketPath


def parse_address(text: str) -> AnyAddress:
    """Read `unix:/path` or `host:port`; ValueError if it is neither."""
    return SocketPath.parse(text) if text.startswith(_UNIX) else Address.parse(text)
