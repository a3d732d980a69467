"""Every table of the application on one metadata: imported where the whole schema matters."""

from outreach.correspondence import tables as correspondence
from outreach.sharing import tables as sharing
from outreach.store.tables import claims, law, messages, operations, parties, vocabulary
from outreach.store.types import metadata

__all__ = [
    "claims",
    "correspondence",
    "law",
    "messages",
    "metadata",
    "operations",
    "parties",
    "sharing",
    "vocabulary",
]
