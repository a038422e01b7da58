"""Finds credentials by the forms that vendors and formats give them."""

API_VERSION = (0, 1)
