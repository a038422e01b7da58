"""Check rule tables: ``python -m letsbe.policy.rules FOLDER [PROGRAM ...]``."""

from __future__ import annotations

import sys
from pathlib import Path

from letsbe.errors import LetsBeError
from letsbe.policy.rules import RuleBook


def main(arguments: list[str]) -> int:
    """Print every example that fails.

    Args:
        arguments: The folder of tables, then programs; all, if there is none.

    Returns:
        The exit code: 0 if all is as the tables say.
    """
    try:
        book = RuleBook.read([Path(arguments[0])])
        failures = list(book.failures(arguments[1:]))
    except LetsBeError as error:
        failures = [error.message]
    sys.stdout.writelines(line + "\n" for line in failures)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
