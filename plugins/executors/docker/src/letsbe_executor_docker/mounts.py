"""What it means to give a container a part of the host's file system."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from letsbe.plugin import Effect, Tier, Where

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]+")
"""The name of a volume. Docker's own rule; anything else is a path."""
_SOCKET = re.compile(
    r"(.*/)?(docker|dockershim|containerd|containerd-shim.*|podman|crio|buildkitd|cri)"
    r"\.sock|/(var/)?run/(docker|containerd|podman|crio)(/.*)?"
)
_TOP = re.compile(
    r"/|/(bin|boot|dev|efi|etc|home|lib|lib32|lib64|media|mnt|opt|proc|root|run|sbin|srv"
    r"|sys|usr|var)|/(boot|dev|proc|root|sys)/.*|/var/(lib|log|run|spool)"
    r"|/var/lib/(docker|containerd)(/.*)?|/run/systemd(/.*)?"
    r"|/etc/(ssh|sudoers.*|shadow.*|passwd|cron.*|systemd)(/.*)?"
)
_HARMLESS = re.compile(r"/etc/(localtime|timezone)|/usr/share/zoneinfo(/.*)?")
_CREDENTIALS = frozenset({"type=nfs", "type=nfs4", "type=cifs", "type=smb3"})


class Mounts:
    """Judges mounts by the operator's list.

    Args:
        allowed: The folders that containers may have.
        where: The place that relative paths start from, and what is closed to agents.
    """

    def __init__(self, allowed: Sequence[Path], where: Where) -> None:
        self._roots = allowed
        self._allowed = [os.path.realpath(path) for path in allowed]
        self._where = where

    def at(self, folder: str) -> Mounts:
        """Return the same for relative paths that start from another folder."""
        return Mounts(self._roots, replace(self._where, cwd=folder))

    def volume(self, text: str) -> Iterator[Effect]:
        """Judge ``-v``: ``name:/path``, ``/host:/path:ro`` or ``/path``."""
        source, colon, rest = text.partition(":")
        if not colon and "\0" not in text:
            return  # an anonymous volume
        options = rest.rpartition(":")[2].split(",") if ":" in rest else []
        if not _NAME.fullmatch(source):
            yield from self.source(source, read_only="ro" in options)

    def mount(self, text: str) -> Iterator[Effect]:
        """Judge ``--mount``: ``type=bind,source=/host,target=/path``."""
        if '"' in text:
            why = "this form of --mount is not understood"
            yield Effect(Tier.RED, "mount", why)
            return
        fields = [part.partition("=") for part in text.split(",")]
        pairs = [(key.strip().lower(), value) for key, _, value in fields]
        kinds = {value.strip().lower() for key, value in pairs if key == "type"}
        sources = [value for key, value in pairs if key in ("source", "src")]
        yield from self._drivers(pairs)
        if kinds - {"volume", "tmpfs", "image", "cluster"}:
            read_only = any(
                key in ("readonly", "ro") and value in ("", "true", "1")
                for key, value in pairs
            )
            for source in sources or ["\0"]:
                yield from self.source(source, read_only=read_only)
        elif not all(map(_NAME.fullmatch, sources)) and "image" not in kinds:
            for source in sources:
                yield from self.source(source)

    def _drivers(self, pairs: Sequence[tuple[str, str]]) -> Iterator[Effect]:
        options = [value for key, value in pairs if key.startswith("volume-opt")]
        drivers = {value for key, value in pairs if key == "volume-driver"}
        if drivers - {"local"}:
            why = "leaves the mount to a plugin"
            yield Effect(Tier.RED, "volume_driver", why)
        yield from self.options(dict(_pair(option) for option in options))

    def options(self, options: Mapping[str, str]) -> Iterator[Effect]:
        """Judge the options of the local volume driver, which can mount anything."""
        device = options.get("device")
        if device is None:
            return
        if f"type={options.get('type')}" in _CREDENTIALS or device.startswith("//"):
            why = "mounts a file system of another machine"
            yield Effect(
                Tier.YELLOW_EXTERNAL, "volume_remote", why, external=True, hosts=None
            )
        elif options.get("type") != "tmpfs":
            yield from self.source(device)

    def source(self, text: str, *, read_only: bool = False) -> Iterator[Effect]:
        """Judge a path of the host that a container gets.

        A link counts as what it leads to now; :attr:`DockerSettings.mounts` says why
        the allowed folders have to be out of the agents' reach.
        """
        path, real = self._paths(text)
        closed = [os.path.realpath(place) for place in self._where.forbidden]
        if any(_is_in(real, place) for place in closed):
            why = "mounts a path that is closed to agents"
            yield Effect(Tier.CRITICAL_RED, "mount.closed", why, refused=True)
        elif _SOCKET.fullmatch(path) or _SOCKET.fullmatch(real):
            why = "mounts the socket of the Docker Engine, which rules the machine"
            yield Effect(Tier.CRITICAL_RED, "mount.socket", why)
        elif self._is_allowed(path, real) or (read_only and _HARMLESS.fullmatch(path)):
            return
        elif _TOP.fullmatch(path) or _TOP.fullmatch(real):
            why = "mounts a part of the system into a container"
            yield Effect(Tier.CRITICAL_RED, "mount.system", why)
        else:
            why = "mounts a folder of the host that the operator did not allow"
            yield Effect(Tier.RED, "mount.host", why)

    def _is_allowed(self, *paths: str) -> bool:
        return all(any(_is_in(p, a) for a in self._allowed) for p in paths)

    def _paths(self, text: str) -> tuple[str, str]:
        if "\0" in text or "SECRET_REF(" in text or len(text) > 4096:
            return "/", "/"  # it cannot be told, so it counts as all
        if text == "~" or text.startswith("~/"):
            text = self._where.home + text[1:]
        path = posixpath.normpath(posixpath.join(self._where.cwd, text))
        path = "/" + path.lstrip("/")
        return path, os.path.realpath(path)


def _pair(text: str) -> tuple[str, str]:
    key, _, value = text.partition("=")
    return key.strip().lower(), value.strip()


def _is_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")
