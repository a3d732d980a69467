"""Every table of the application on one metadata: imported where the whole schema matters."""

from outreach.correspondence import tables as correspondence
from outreach.store.tables import claims, messages, operations, parties, vocabulary
from outreach.store.types import metadata

__all__ = ["claims", "correspondence", "messages", "metadata", "operations", "parties", "vocabulary"]
