"""What can go wrong in a way a user can mend.

OutreachError
├── UsageError           the command or the file is not what was asked for (exit status 2)
├── NotFound             no creditor, debtor or record of that name (exit status 2)
└── Refused              the service will not do this, with the reason (exit status 1)
"""


class OutreachError(Exception):
    """The service could not do what was asked; the message tells a person why."""

    exit_status = 1


class UsageError(OutreachError):
    """The command, setting or file is not what was expected."""

    exit_status = 2


class NotFound(OutreachError):
    """There is no record of that name."""

    exit_status = 2


class Refused(OutreachError):
    """The service will not do this now; the message carries the reason."""
