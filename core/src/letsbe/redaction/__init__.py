"""Taking secrets out of whatever leaves or is stored."""
