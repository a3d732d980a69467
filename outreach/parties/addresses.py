"""Keys of addresses: what is learned of an address reaches everyone who has it, without a plain hash of it."""

from __future__ import annotations

import hashlib
import hmac


class AddressKeys:
    """Makes address keys with a secret that is kept outside the database."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def of(self, kind: str, value: str) -> str:
        """Return the key of a normalised address: HMAC-SHA-256 over its kind and value, as 64 hex characters."""
        text = f"{kind}\0{value.casefold().strip()}"
        return hmac.new(self._secret, text.encode(), hashlib.sha256).hexdigest()
