"""Measure the service against a reference in the same run: rates, CPU per thousand, memory."""
