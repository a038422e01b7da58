"""The version of the plugin API, apart from any distribution's version."""

API_VERSION: tuple[int, int] = (0, 1)
"""Major and minor. A plugin declares the one it was written for as ``API_VERSION`` in
its module; the same major and a minor not above this one loads."""
