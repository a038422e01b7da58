"""``python -m letsbe_hub``."""

from letsbe_hub.cli import main

main()
