"""The HTTP API: one module per audience; the rooms hold the rules."""
