"""Every route has a door; one that is not declared public answers nobody without credentials."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from outreach.config import Settings
from outreach.store.writer import Store
from outreach.web.guard import Bearer, Door, everybody
from outreach.web.headers import HEADERS
from outreach.web.health import Health
from outreach.web.metrics import Metrics
from outreach.web.site import Site, monitoring
from tests.installations import initialise

TOKEN = "a token with ünusual characters"


async def secret_page(_request: Request) -> Response:
    return PlainTextResponse("secret")


async def broken_page(_request: Request) -> Response:
    raise LookupError("jan@example.net")


def client(site: Site) -> httpx.AsyncClient:
    """A client of the application, without a server between."""
    transport = httpx.ASGITransport(site, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://site")


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """The site as the service serves it, on a database of its own."""
    settings = Settings(data_dir=tmp_path / "data")
    initialise(settings, is_trial=True)
    store = Store(settings.url)
    health, metrics = Health(store, lambda: None), Metrics(store, CollectorRegistry())
    yield Site(monitoring(health, metrics, TOKEN))
    store.close()


def walked(routes: list[BaseRoute]) -> list[Route]:
    """Every route, also below mounts."""
    found: list[Route] = []
    for route in routes:
        if isinstance(route, Mount):
            found += walked(route.routes)
        else:
            assert isinstance(route, Route)
            found.append(route)
    return found


async def test_every_route_is_public_by_name_or_asks_for_credentials(site: Site) -> None:
    """A new public route must be added here, so that it is a decision and not an accident."""
    public = {door.route.path for door in site.doors if door.guard is everybody}  # type: ignore[attr-defined]
    assert public == {"/health"}
    async with client(site) as browser:
        for route in walked(site.routes):
            for method in route.methods or ():
                answer = await browser.request(method, route.path)
                expected = {200} if route.path in public else {401, 403}
                assert answer.status_code in expected, (method, route.path)


async def test_a_route_without_a_door_answers_nobody(site: Site) -> None:
    """Also when somebody adds one to the router behind our back, or forgets the guard."""
    site.router.routes.append(Route("/forgotten", secret_page))
    site.router.routes.append(Mount("/below", routes=[Route("/deep", secret_page)]))
    unguarded = Site([Door(Route("/unsaid", secret_page))])
    async with client(site) as browser, client(unguarded) as other:
        answers = [
            await browser.get("/forgotten"),
            await browser.get("/below/deep"),
            await browser.post("/forgotten"),
            await other.get("/unsaid"),
        ]
    assert [answer.status_code for answer in answers] == [403] * 4
    assert not any("secret" in answer.text for answer in answers)


@pytest.mark.parametrize(
    ("given", "status"),
    [
        (None, 401),
        ("", 401),
        ("Bearer", 401),
        ("Bearer ", 401),
        (f"Basic {TOKEN}", 401),
        ("Bearer a token", 401),
        (f"Bearer {TOKEN}s", 401),
        ("Bearer \u00ff\u00fe", 401),
        (f"Bearer {TOKEN}", 200),
        (f"bearer {TOKEN}", 200),
    ],
)
async def test_the_token_is_compared_whole(given: str | None, status: int) -> None:
    """Nothing but the token opens, whatever bytes it is."""
    site = Site([Door(Route("/", secret_page), Bearer(TOKEN))])
    headers = {} if given is None else {"authorization": given.encode("utf-8")}
    async with client(site) as browser:
        answer = await browser.get("/", headers=headers)  # type: ignore[arg-type]
    assert answer.status_code == status
    assert (answer.headers.get("www-authenticate") == "Bearer") is (status == 401)


async def test_every_answer_has_the_headers(site: Site) -> None:
    """Refusals, unknown paths, wrong methods and errors of ours too; an error shows nothing of itself."""
    site = Site([*site.doors, Door(Route("/broken", broken_page), everybody)])
    async with client(site) as browser:
        answers = [
            await browser.get(path) for path in ("/health", "/health/", "/metrics", "/nothing", "/broken")
        ]
        answers.append(await browser.post("/health"))
    assert [answer.status_code for answer in answers] == [200, 404, 401, 404, 500, 405]
    for answer in answers:
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
        assert "jan@" not in answer.text
