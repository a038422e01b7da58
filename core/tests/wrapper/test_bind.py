"""The socket that the wrapper listens on."""

import socket

import pytest

from letsbe.errors import ConfigurationError
from letsbe.listening import bind


def test_answers_do_not_wait_for_acknowledgements() -> None:
    # asyncio turns TCP_NODELAY on for sockets with this protocol alone.
    with bind("127.0.0.1", 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP


def test_a_port_that_is_taken_is_named() -> None:
    with bind("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(ConfigurationError, match=str(port)):
            bind("127.0.0.1", port)
