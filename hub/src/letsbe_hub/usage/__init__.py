"""Usage: buckets of tokens, taken in exactly once."""
