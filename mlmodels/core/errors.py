"""Errors of `core`: one family, so that a caller catches what it can handle and nothing else."""


class CoreError(Exception):
    """Base of every error that `core` raises on purpose."""
