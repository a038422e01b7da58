"""Never finishes its import."""

import threading

API_VERSION = (0, 1)

threading.Event().wait(60)
