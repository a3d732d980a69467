"""The core's tables by subject; floors above declare their own on the same metadata."""
