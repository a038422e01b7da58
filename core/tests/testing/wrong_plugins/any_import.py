"""Opens a socket when it is imported."""

import socket

socket.socket().close()
