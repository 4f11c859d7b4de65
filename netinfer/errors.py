"""The errors that netinfer raises, each with the exit code that the command line gives it.

Every message says what was wrong, where (file, column, gene) and what to do, in one line.
"""

from __future__ import annotations


class NetinferError(Exception):
    """Base of all errors that a user can cause and mend."""

    exit_code = 1


class ConfigError(NetinferError):
    """The config is wrong: an unknown key, a wrong type, an impossible value."""

    exit_code = 2


class InputError(NetinferError):
    """The data are wrong: a file, a table, a matrix that cannot be used as it is."""

    exit_code = 3


class NumericsError(NetinferError):
    """A computation ended without a certified answer."""

    exit_code = 4


class RunError(NetinferError):
    """The surroundings failed: disk, locks, stale or damaged intermediate files."""

    exit_code = 5


class ConvergenceWarning(UserWarning):
    """A fit did not reach its tolerance; the message carries the numbers."""
