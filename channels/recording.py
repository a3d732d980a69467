"""A channel that sends nothing: it remembers what it was handed, for tests and dry runs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from channels.kinds import Kind
from channels.places import Places
from channels.protocol import Outcome, OutcomeKind, Prepared, Slot


def accept(prepared: Prepared) -> Outcome:
    """The script of a channel on which everything goes well; the token serves as the provider's id."""
    return Outcome(OutcomeKind.ACCEPTED, "recorded", provider_id=prepared.token)


class RecordingChannel:
    """Keeps every message in `handed_over`, in order, and answers what `script` says."""

    def __init__(
        self,
        kind: Kind = Kind.EMAIL,
        *,
        script: Callable[[Prepared], Outcome] = accept,
        places: int = 4,
    ) -> None:
        self.kind = kind
        self.handed_over: list[Prepared] = []
        self._script = script
        self._places = Places(places, self._record)

    @property
    def places(self) -> int:
        """How many slots may be open at once."""
        return self._places.count

    def slot(self) -> AbstractAsyncContextManager[Slot]:
        """Wait for a free place."""
        return self._places.slot()

    async def aclose(self) -> None:
        """Lend no more slots; what was recorded stays."""
        self._places.close()

    async def _record(self, prepared: Prepared) -> Outcome:
        self.handed_over.append(prepared)
        return self._script(prepared)
