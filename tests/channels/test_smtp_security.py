"""TLS and log-in, with certificates of an authority of our own."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import trustme
import uvloop

from channels.email.relay import Relay, parse
from channels.email.smtp import SmtpChannel
from channels.protocol import Outcome, OutcomeKind
from tests.channels.mails import mail, send
from tests.counterparts.smtp_session import Sink
from tests.counterparts.smtp_sink import smtp_sink

LOGIN = ("jan@example.nl", "p@ss:w/rd")
CREDENTIALS = "jan%40example.nl:p%40ss%3Aw%2Frd"
AUTHORITY = trustme.CA()


def server_context(name: str) -> ssl.SSLContext:
    """What a server of that name shows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert(name).configure_cert(context)
    return context


def client_context(*, trusting: bool = True) -> ssl.SSLContext:
    """A client that checks certificates and names, and may trust our authority."""
    context = ssl.create_default_context()
    if trusting:
        AUTHORITY.configure_trust(context)
    return context


async def send_two(sink: Sink, scheme: str, user: str = "", *, trusting: bool = True) -> list[Outcome]:
    """Two mails over one channel; the second shows that the connection lasts."""
    relay: Relay = parse(f"{scheme}://{user}{sink.host}:{sink.port}?connections=1&timeout=2")
    channel = SmtpChannel(relay, context=client_context(trusting=trusting))
    outcomes = [await send(channel, mail(1))]
    if outcomes[0].kind is OutcomeKind.ACCEPTED:
        outcomes.append(await send(channel, mail(2)))
    await channel.aclose()
    return outcomes


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
@pytest.mark.parametrize(
    ("name", "trusting", "kind"),
    [
        ("127.0.0.1", True, OutcomeKind.ACCEPTED),
        ("127.0.0.1", False, OutcomeKind.REFUSED_US),
        ("mail.example.nl", True, OutcomeKind.REFUSED_US),
    ],
    ids=["good", "unknown authority", "other name"],
)
async def test_mail_goes_only_to_a_relay_that_proves_its_name(
    scheme: str, name: str, trusting: bool, kind: OutcomeKind
) -> None:
    """The same for both ways to TLS; what fails is ours to mend and sends nothing."""
    implicit = scheme == "smtps"
    async with smtp_sink(tls=server_context(name), implicit_tls=implicit) as sink:
        outcomes = await send_two(sink, scheme, trusting=trusting)
        assert {outcome.kind for outcome in outcomes} == {kind}
        if kind is OutcomeKind.ACCEPTED:
            assert [accepted.payload for accepted in sink.accepted] == [mail(1).payload, mail(2).payload]
            assert sink.connections == 1
        else:
            assert outcomes[0].code == "tls_failed"
            assert "MAIL" not in sink.commands


@pytest.mark.parametrize(
    ("fault", "kind", "code"),
    [
        ("starttls:always:reply=502 5.5.1 no", OutcomeKind.REFUSED_US, "502 5.5.1"),
        ("starttls:always:reply=454 4.7.0 not now", OutcomeKind.RETRY_AFTER, "454 4.7.0"),
        ("starttls:always:drop", OutcomeKind.RETRY_AFTER, "connection_lost"),
    ],
)
async def test_a_relay_that_does_not_upgrade_gets_no_mail(fault: str, kind: OutcomeKind, code: str) -> None:
    """Never in plain text instead."""
    async with smtp_sink([fault], tls=server_context("127.0.0.1")) as sink:
        (outcome,) = await send_two(sink, "smtp+starttls")
        assert (outcome.kind, outcome.code) == (kind, code)
        assert "MAIL" not in sink.commands


@pytest.mark.parametrize(("scheme", "code"), [("smtp+starttls", "tls_not_offered"), ("smtps", "tls_failed")])
async def test_a_relay_without_tls_gets_no_mail(scheme: str, code: str) -> None:
    """A missing STARTTLS may be somebody in between."""
    async with smtp_sink() as sink:
        (outcome,) = await send_two(sink, scheme)
        assert (outcome.kind, outcome.code) == (OutcomeKind.REFUSED_US, code)
        assert "MAIL" not in sink.commands


@pytest.mark.parametrize("announced", [("PIPELINING", "AUTH LOGIN"), ("PIPELINING",)], ids=["LOGIN", "PLAIN"])
@pytest.mark.parametrize(
    ("user", "kind", "code"),
    [
        (f"{CREDENTIALS}@", OutcomeKind.ACCEPTED, "250 2.0.0"),
        ("jan%40example.nl:wrong@", OutcomeKind.REFUSED_US, "535 5.7.8"),
        ("", OutcomeKind.REFUSED_US, "530 5.7.0"),
    ],
    ids=["right", "wrong", "none"],
)
async def test_a_log_in_that_fails_is_our_fault(
    announced: tuple[str, ...], user: str, kind: OutcomeKind, code: str
) -> None:
    """The breaker opens, and the outcome names neither user nor password."""
    async with smtp_sink(login=LOGIN, announced=announced, tls=server_context("127.0.0.1")) as sink:
        outcomes = await send_two(sink, "smtp+starttls", user)
        assert {(outcome.kind, outcome.code) for outcome in outcomes} == {(kind, code)}
        assert all(word not in repr(outcomes) for word in ("wrong", *LOGIN))


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("auth:always:reply=454 4.7.0 not now", OutcomeKind.RETRY_AFTER),
        ("auth:always:drop", OutcomeKind.RETRY_AFTER),
        ("auth:always:reply=534 5.7.9 too weak", OutcomeKind.REFUSED_US),
    ],
)
async def test_a_log_in_that_is_put_off_is_tried_later(fault: str, kind: OutcomeKind) -> None:
    """Only a definite no needs somebody of ours."""
    async with smtp_sink([fault], login=LOGIN) as sink:
        (outcome,) = await send_two(sink, "smtp", f"{CREDENTIALS}@")
        assert outcome.kind is kind


async def test_a_relay_without_log_in_is_not_used_with_a_password() -> None:
    """It is not the relay that was meant."""
    async with smtp_sink() as sink:
        (outcome,) = await send_two(sink, "smtp", f"{CREDENTIALS}@")
        assert (outcome.kind, outcome.code) == (OutcomeKind.REFUSED_US, "login_not_offered")


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
@pytest.mark.parametrize("scheme", ["smtp", "smtps", "smtp+starttls"])
def test_both_event_loops_carry_mail_plain_and_encrypted(
    run: Callable[[Coroutine[Any, Any, int]], int], scheme: str
) -> None:
    """The transport changes hands after the log-in; that is the event loop's doing."""

    async def accepted() -> int:
        tls = None if scheme == "smtp" else server_context("127.0.0.1")
        async with smtp_sink(login=LOGIN, tls=tls, implicit_tls=scheme == "smtps") as sink:
            await send_two(sink, scheme, f"{CREDENTIALS}@")
            return len(sink.accepted)

    assert run(accepted()) == 2
