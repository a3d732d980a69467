"""The settings of a mail relay, read from one URL.

`smtp://host:25`, `smtps://user:pass@host` (465), `smtp+starttls://user:pass@host` (587); credentials are
percent-encoded. Options in the query: `connections`, `messages` and `age` (s) of a kept connection,
`timeout` (s) of every step, `patience` (s) for the answer to a whole mail, `rate` (mails/s).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_address
from typing import TypeVar
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit


class Security(StrEnum):
    """How the conversation with the relay is protected."""

    NONE = "none"
    TLS = "tls"
    """TLS from the first byte (RFC 8314 3.3)."""
    STARTTLS = "starttls"
    """Plain first, then upgraded (RFC 3207); never silently left plain."""


@dataclass(frozen=True, slots=True)
class Relay:
    """Where mail is handed over and within which limits. Its repr and str never show the password."""

    host: str
    port: int
    security: Security = Security.NONE
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    connections: int = 8
    messages: int = 100
    """Mails over one connection before it is closed and opened anew."""
    age: float = 300.0
    """Seconds a connection is kept."""
    timeout: float = 30.0
    """Seconds that any one step may take."""
    patience: float | None = None
    """Seconds to wait for the answer to a whole mail; None is ten times `timeout`. Long, because giving up
    leaves the mail in doubt while relays check contents (RFC 5321 4.5.3.2.6 wants ten minutes)."""
    rate: float | None = None
    """Most mails per second; None is no limit until the relay asks for one."""

    def __str__(self) -> str:
        """The relay as it may be shown and logged."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{_SCHEME_OF[self.security]}://{host}:{self.port}"

    @property
    def answer_timeout(self) -> float:
        """Seconds to wait for the answer to the final dot."""
        return 10 * self.timeout if self.patience is None else self.patience

    @property
    def loopback(self) -> bool:
        """Whether mail stays on this machine: the only relay that a trial may use."""
        return _is_loopback(self.host)


_SCHEMES = {
    "smtp": (Security.NONE, 25),
    "smtps": (Security.TLS, 465),
    "smtp+starttls": (Security.STARTTLS, 587),
}
_SCHEME_OF = {security: scheme for scheme, (security, _) in _SCHEMES.items()}
_Default = TypeVar("_Default", bound=float | None)
_OPTIONS = ("connections", "messages", "age", "timeout", "patience", "rate")


def parse(url: str) -> Relay:
    """Read a relay URL; ValueError says what was expected, without repeating the URL (it has a password)."""
    parts = _split(url)
    if parts.scheme not in _SCHEMES:
        raise ValueError("relay: expected smtp://, smtps:// or smtp+starttls://")
    security, usual_port = _SCHEMES[parts.scheme]
    if not parts.hostname:
        raise ValueError("relay: expected a host, as in smtp://mail.example.nl:25")
    if parts.path not in ("", "/") or parts.fragment:
        raise ValueError(
            "relay: expected nothing after the host and port but options (percent-encode a password)"
        )
    username = unquote(parts.username) if parts.username is not None else None
    password = unquote(parts.password) if parts.password is not None else None
    if (username is None) != (password is None) or username == "":
        raise ValueError("relay: expected a user name together with a password, or neither")
    if username is not None and security is Security.NONE and not _is_loopback(parts.hostname):
        raise ValueError("relay: expected smtps:// or smtp+starttls:// with a password")
    port = _port(parts, usual_port)
    return _with_options(Relay(parts.hostname, port, security, username, password), parts.query)


def _split(url: str) -> SplitResult:
    if not url.isprintable() or " " in url:
        raise ValueError("relay: expected a URL without spaces or control characters")
    try:
        return urlsplit(url)
    except ValueError:
        # From nothing: the original error repeats the URL, and with it the password.
        raise ValueError("relay: expected a URL such as smtp://mail.example.nl:25") from None


def _port(parts: SplitResult, usual: int) -> int:
    try:
        port = parts.port
    except ValueError:
        # What cannot be read as a port may be a piece of a password that was not percent-encoded.
        raise ValueError("relay: expected a port from 1 to 65535 (percent-encode a password)") from None
    if port == 0:
        raise ValueError("relay: expected a port from 1 to 65535")
    return usual if port is None else port


def _with_options(relay: Relay, query: str) -> Relay:
    options: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in _OPTIONS:
            raise ValueError(f"relay: expected the options {', '.join(_OPTIONS)}")
        if name in options:
            raise ValueError(f"relay: expected the option {name} once")
        options[name] = value
    return Relay(
        relay.host,
        relay.port,
        relay.security,
        relay.username,
        relay.password,
        connections=_whole(options, "connections", relay.connections, most=1000),
        messages=_whole(options, "messages", relay.messages, most=1_000_000),
        age=_number(options, "age", relay.age, most=86_400.0),
        timeout=_number(options, "timeout", relay.timeout, most=3_600.0),
        patience=_number(options, "patience", relay.patience, most=3_600.0),
        rate=_number(options, "rate", relay.rate, most=100_000.0),
    )


def _whole(options: dict[str, str], name: str, default: int, most: int) -> int:
    value = options.get(name)
    if value is None:
        return default
    if not (value.isascii() and value.isdigit() and 1 <= int(value) <= most):
        raise ValueError(f"relay: expected {name} to be a whole number from 1 to {most}")
    return int(value)


def _number(options: dict[str, str], name: str, default: _Default, most: float) -> float | _Default:
    value = options.get(name)
    if value is None:
        return default
    try:
        number = float(value)
    except ValueError:
        number = 0.0
    if not 0.0 < number <= most:
        raise ValueError(f"relay: expected {name} to be a number above 0 and at most {most:g}")
    return number


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
