"""Questions to the Docker Engine that change nothing."""

from __future__ import annotations

import http.client
import json
import socket
from typing import Any
from urllib.parse import quote

from typing_extensions import override

ANSWER_LIMIT = 4 * 1024 * 1024
"""The most bytes of an answer."""


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("docker", timeout=timeout)
        self._path = path

    @override
    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Engine:
    """The Docker Engine's API, read only.

    Args:
        path: Its socket; ``None`` if it is not on this machine, so that all answers
            are ``None``.
        timeout: Seconds that an answer may take.
    """

    def __init__(self, path: str | None, timeout: float = 0.5) -> None:
        self._path = path
        self._timeout = timeout

    def version(self) -> str | None:
        """Return its version, if it answers."""
        answer = self.get("/version")
        return str(answer.get("Version")) if isinstance(answer, dict) else None

    def get(self, path: str, **query: Any) -> Any:  # noqa: ANN401 - JSON
        """Ask for something.

        Args:
            path: The path of the API, without a version.
            query: The query; tables are sent as JSON.

        Returns:
            The answer as JSON; ``None`` if there is none or it says no.
        """
        if self._path is None:
            return None
        pairs = "&".join(f"{key}={quote(_text(value))}" for key, value in query.items())
        connection = _Connection(self._path, self._timeout)
        try:
            connection.request("GET", f"{path}?{pairs}" if pairs else path)
            answer = connection.getresponse()
            data = answer.read(ANSWER_LIMIT + 1)
            if answer.status != http.HTTPStatus.OK or len(data) > ANSWER_LIMIT:
                return None
            return json.loads(data)
        except (OSError, http.client.HTTPException, ValueError):
            return None
        finally:
            connection.close()


def _text(value: Any) -> str:  # noqa: ANN401 - JSON
    return value if isinstance(value, str) else json.dumps(value)
