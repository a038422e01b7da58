"""The Secrets Proxy as a process of its own that somebody else keeps running."""

from __future__ import annotations

import contextlib
import json
import logging
import select
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

from letsbe.configuration import ProxySettings
from letsbe.errors import ConfigurationError
from letsbe.home import Home
from letsbe.proxy.account import starts_with_wrapper

log = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 30.0
"""Seconds before it is started again; doubled each time, until it runs for longer than
the longest."""

START_SECONDS = 30.0
"""How long it may take to start."""

END_SECONDS = 15.0
"""How long it may take to end: the time for open answers, and some more."""


@contextlib.contextmanager
def proxy_beside(
    home: Home, settings: ProxySettings, port: int
) -> Iterator[str | None]:
    """Run the proxy beside a wrapper, if it is for the wrapper to run it.

    Args:
        home: The home folder.
        settings: The proxy's.
        port: Its port.

    Yields:
        The proxy's base address, or what runs it; None if it has no upstream.

    Raises:
        ConfigurationError: It does not start.
    """
    if not starts_with_wrapper(settings):
        yield f"a service of its own, as {settings.user}"
    elif settings.upstreams:
        with running_proxy(home, port) as address:
            yield address
    else:
        yield None


@contextlib.contextmanager
def running_proxy(home: Home, port: int | None = None) -> Iterator[str]:
    """Run the proxy, start it again whenever it dies, and end it afterwards.

    It also ends when this process does, however that comes about.

    Args:
        home: The home folder.
        port: Its port, if not the configured one.

    Yields:
        The proxy's base address.

    Raises:
        ConfigurationError: It does not start; the message is its own.
    """
    child = _Child(home, port)
    try:
        yield child.address
    finally:
        child.end()


class _Child:
    """The process, and the thread that waits for it."""

    def __init__(self, home: Home, port: int | None) -> None:
        self._home = home
        self._port = port
        self._ending = threading.Event()
        self._process, self.address = _start(home, port)
        self._thread = threading.Thread(
            target=self._keep, name="letsbe-proxy-child", daemon=True
        )
        self._thread.start()

    def end(self) -> None:
        """Stop it, and wait until it is gone."""
        self._ending.set()
        _stop(self._process)
        self._thread.join()

    def _keep(self) -> None:
        pause = FIRST_PAUSE
        while True:
            since = time.monotonic()
            code = self._process.wait()
            if self._ending.is_set():
                return
            if time.monotonic() - since > LONGEST_PAUSE:
                pause = FIRST_PAUSE
            log.error("the Secrets Proxy ended with %d; starting it again", code)
            while not self._again(pause):
                pause = min(pause * 2, LONGEST_PAUSE)
                if self._ending.is_set():
                    return

    def _again(self, pause: float) -> bool:
        """Start it again after a pause; tell whether it runs."""
        if self._ending.wait(pause):
            return False
        try:
            process, _ = _start(self._home, self._port)
        except ConfigurationError as error:
            log.error("%s", error.message)
            return False
        if self._ending.is_set():
            _stop(process)
            return False
        self._process = process
        return True


def _start(home: Home, port: int | None) -> tuple[subprocess.Popen[bytes], str]:
    """Start the proxy, and return it with its address once it answers."""
    command = [sys.executable, "-m", "letsbe", "proxy", "--home", str(home.folder)]
    command += [] if port is None else ["--port", str(port)]
    process = subprocess.Popen(
        [*command, "--while-stdin", "--json"],
        # It ends when this end of the pipe is closed, as it is when we die.
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # A terminal's Ctrl-C is for us; we tell the child.
        start_new_session=True,
    )
    assert process.stdout is not None
    line = b""
    if select.select([process.stdout], [], [], START_SECONDS)[0]:
        line = process.stdout.readline()
    try:
        said = json.loads(line or b"{}")
    except ValueError:
        said = {}
    if "secrets_proxy" not in said:
        _stop(process)
        reason = said.get("error", {}).get("message", "it said nothing; see its log")
        message = f"the Secrets Proxy does not start: {reason}"
        raise ConfigurationError(message)
    return process, str(said["secrets_proxy"])


def _stop(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    process.terminate()
    with contextlib.suppress(OSError):
        process.stdin.close()
    try:
        process.wait(timeout=END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()
