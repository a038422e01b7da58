"""Pages for people: what notices lead to, made here and needing no script."""
