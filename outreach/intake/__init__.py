"""Takes files in: reading, checking and mapping of claims and payments, and what was refused and why."""
