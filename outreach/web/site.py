"""The web application: routes behind their doors, security headers around everything."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route
from starlette.types import ASGIApp

from outreach.web.guard import Bearer, Door, Guarded, everybody
from outreach.web.headers import SecurityHeaders
from outreach.web.health import Health
from outreach.web.metrics import Metrics


class Site(Starlette):
    """A Starlette application of doors; a route that is added without one answers nobody."""

    def __init__(self, doors: Iterable[Door]) -> None:
        self.doors = tuple(doors)
        super().__init__(
            routes=[door.route for door in self.doors],
            middleware=[Middleware(Guarded, doors=self.doors)],
        )
        # A redirect to another spelling of a path would tell which paths there are.
        self.router.redirect_slashes = False

    def build_middleware_stack(self) -> ASGIApp:
        """Return Starlette's stack within the headers: its own error pages come from its outermost layer."""
        return SecurityHeaders(super().build_middleware_stack())


def monitoring(health: Health, metrics: Metrics, metrics_token: str) -> list[Door]:
    """Return the doors for those who watch the service."""
    return [
        Door(Route("/health", health.__call__, methods=["GET"]), everybody),
        Door(Route("/metrics", metrics.__call__, methods=["GET"]), Bearer(metrics_token)),
    ]
