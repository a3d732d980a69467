from __future__ import annotations

import pytest

from channels.email.relay import Relay, Security, parse


@pytest.mark.parametrize(
    ("url", "relay"),
    [
        ("smtp://mail.example.nl", Relay("mail.example.nl", 25)),
        ("smtp://127.0.0.1:2525/", Relay("127.0.0.1", 2525)),
        ("smtp://[::1]:2525", Relay("::1", 2525)),
        ("smtp://u:p@localhost", Relay("localhost", 25, username="u", password="p")),
        ("smtps://mail.example.nl", Relay("mail.example.nl", 465, Security.TLS)),
        (
            "smtp+starttls://jan%40example.nl:p%40ss%3Aw%2Frd%23@mail.example.nl",
            Relay("mail.example.nl", 587, Security.STARTTLS, "jan@example.nl", "p@ss:w/rd#"),
        ),
        (
            "smtps://h:26?connections=3&messages=10&age=60.5&timeout=2&patience=9&rate=0.5",
            Relay(
                "h",
                26,
                Security.TLS,
                connections=3,
                messages=10,
                age=60.5,
                timeout=2.0,
                patience=9.0,
                rate=0.5,
            ),
        ),
    ],
)
def test_a_url_says_where_and_within_which_limits_mail_is_handed_over(url: str, relay: Relay) -> None:
    """Ports have their usual defaults and credentials are percent-decoded."""
    assert parse(url) == relay


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("", "expected smtp://"),
        ("http://mail.example.nl", "expected smtp://"),
        ("smtp://", "host"),
        ("smtp://:25", "host"),
        ("smtp://h:0", "port"),
        ("smtp://h:70000", "port"),
        ("smtp://h:geheim", "port"),
        ("smtp://[::1", "URL"),
        ("smtp://h/inbox", "nothing after"),
        ("smtps://u:ge#heim@h", "host|port|nothing after"),
        ("smtps://u:ge/heim@h", "port|nothing after"),
        ("smtps://u@h", "together"),
        ("smtps://:geheim@h", "together"),
        ("smtp://u:geheim@mail.example.nl", "smtps://"),
        ("smtp://h name", "spaces"),
        ("smtp://h?speed=1", "options"),
        ("smtp://h?rate=1&rate=2", "once"),
        ("smtp://h?connections=0", "connections"),
        ("smtp://h?connections=2.5", "connections"),
        ("smtp://h?messages=-1", "messages"),
        ("smtp://h?age=0", "age"),
        ("smtp://h?timeout=nan", "timeout"),
        ("smtp://h?rate=inf", "rate"),
        ("smtp://h?rate=", "rate"),
    ],
)
def test_a_url_that_is_not_clear_is_refused_without_its_password(url: str, expected: str) -> None:
    """The message says what was expected; it may be shown and logged."""
    with pytest.raises(ValueError, match=expected) as refusal:
        parse(url)
    assert "heim" not in str(refusal.value)
    assert refusal.value.__suppress_context__ or refusal.value.__context__ is None


def test_a_relay_never_shows_its_password() -> None:
    """Neither repr nor str, which reach logs and screens."""
    relay = parse("smtps://jan:geheim@mail.example.nl")
    assert "geheim" not in repr(relay) + str(relay) + f"{relay}"
    assert str(relay) == "smtps://mail.example.nl:465"


@pytest.mark.parametrize(
    ("host", "stays"),
    [("127.0.0.1", True), ("127.8.8.8", True), ("[::1]", True), ("localhost", True), ("localhost.nl", False)],
)
def test_loopback_is_what_stays_on_this_machine(host: str, stays: bool) -> None:
    """A trial may only use such a relay."""
    assert parse(f"smtp://{host}:2525").loopback is stays
