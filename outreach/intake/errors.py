"""What intake says when it refuses a value, a file or a mapping."""

from __future__ import annotations

from collections.abc import Sequence


class RefusedValueError(ValueError):
    """One value cannot be taken. `expected` says, in words for a clerk, what would have been."""

    def __init__(self, expected: str) -> None:
        super().__init__(expected)
        self.expected = expected


class IntakeError(Exception):
    """A file as a whole cannot be taken. `problems` lists everything found wrong, not only the first."""

    def __init__(self, subject: str, problems: Sequence[str]) -> None:
        self.subject = subject
        self.problems = tuple(problems)
        super().__init__(f"{subject}: " + "; ".join(self.problems))


class FileError(IntakeError):
    """The file to import cannot be read, or its columns do not fit: nothing of it was taken."""


class MappingError(IntakeError):
    """The mapping file is wrong, or does not fit the file it should explain."""
