"""``python -m letsbe``."""

from letsbe.cli import main

main(prog_name="letsbe")
