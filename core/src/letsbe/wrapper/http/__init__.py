"""The HTTP interface: one module per subject, all tied together in ``app``."""
