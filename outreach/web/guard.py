"""Who may use a route: nobody, unless it is said. Every route has a door, and a door says who comes in."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send

Guard = Callable[[HTTPConnection], Awaitable[Response | None]]
"""Lets a request in with None, or turns it away with an answer."""


async def nobody(_connection: HTTPConnection) -> Response | None:
    """Turn everyone away."""
    return PlainTextResponse("Forbidden", 403)


async def everybody(_connection: HTTPConnection) -> Response | None:
    """Let everyone in: what makes a route public."""
    return None


@dataclass(frozen=True)
class Door:
    """A route and who may use it."""

    route: BaseRoute
    guard: Guard = nobody


class Bearer:
    """Lets in who shows a token in the Authorization header."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()

    async def __call__(self, connection: HTTPConnection) -> Response | None:
        """Compare in constant time; 401 for no token or another."""
        scheme, _, given = connection.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode("latin-1"), self._token):
            return None
        return PlainTextResponse("Unauthorized", 401, {"WWW-Authenticate": "Bearer"})


class Guarded:
    """ASGI middleware that asks the door's guard before a request reaches its route.

    It finds the route as the router will, so a route that came in without a door is one for nobody.
    """

    def __init__(self, app: ASGIApp, doors: Iterable[Door]) -> None:
        self._app = app
        self._doors = tuple(doors)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or answer in the route's place."""
        if scope["type"] in {"http", "websocket"}:
            route = _route_of(scope)
            if route is not None:
                turned_away = await self._guard_of(route)(HTTPConnection(scope))
                if turned_away is not None:
                    await turned_away(scope, receive, send)
                    return
        await self._app(scope, receive, send)

    def _guard_of(self, route: BaseRoute) -> Guard:
        return next((door.guard for door in self._doors if door.route is route), nobody)


def _route_of(scope: Scope) -> BaseRoute | None:
    """Return the route that Starlette's router takes: the first full match, else the first by path alone."""
    by_path: BaseRoute | None = None
    for route in scope["app"].routes:
        match, _ = route.matches(scope)
        if match is Match.FULL:
            return route  # type: ignore[no-any-return]
        if match is Match.PARTIAL and by_path is None:
            by_path = route
    return by_path
