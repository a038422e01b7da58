"""What a stack's file asks of the machine.

A service can be given the machine's folders, devices and powers, and is then no
longer kept apart from it. What is not surely harmless is named here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from letsbe.plugin import Raise, Tier

_POWERS = (
    *("privileged", "cap_add", "devices", "security_opt", "cgroup_parent", "runtime"),
    *(
        "userns_mode",
        "device_cgroup_rules",
        "sysctls",
        "volumes_from",
        "credential_spec",
    ),
    *("build", "extends", "env_file", "post_start", "pre_stop", "provider", "gpus"),
)
_HOST = ("network_mode", "pid", "ipc", "uts", "cgroup")


def judge_stack(text: str) -> Iterator[Raise]:
    """Say what a stack's file asks for beyond containers that are kept apart.

    Args:
        text: The file.

    Yields:
        One reason for each.
    """
    try:
        stack = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        yield Raise(Tier.RED, "stack", "is not a stack's file that can be read")
        return
    services = stack.get("services") if isinstance(stack, dict) else None
    if not isinstance(services, dict) or not services:
        yield Raise(Tier.RED, "stack", "names no services")
        return
    if "${" in text or "include" in stack:
        yield Raise(Tier.RED, "stack", "depends on what is not shown")
    for name, service in services.items():
        if not isinstance(service, dict):
            yield Raise(Tier.RED, "stack", f"has a service {name!r} without a form")
            continue
        yield from _judge_service(service)
    yield from _judge_sources(stack)


def _judge_service(service: Mapping[str, Any]) -> Iterator[Raise]:
    for key in _POWERS:
        if service.get(key):
            yield _power(f"uses `{key}`")
    for key in _HOST:
        value = str(service.get(key, ""))
        if value == "host" or value.startswith(("container:", "service:")):
            yield _power(f"shares `{key}` with the machine or another container")
    for volume in service.get("volumes") or ():
        if not _is_named(volume):
            yield _power("mounts a folder of the machine")
    if service.get("ports"):
        yield Raise(Tier.RED, "ports", "opens ports of the machine", external=True)


def _judge_sources(stack: Mapping[str, Any]) -> Iterator[Raise]:
    """A volume can be a folder in disguise; a config or secret a file."""
    for key in ("volumes", "configs", "secrets"):
        declared = stack.get(key) or {}
        if not isinstance(declared, dict):
            yield _power(f"declares `{key}` in a form that is not known")
            continue
        for value in declared.values():
            if isinstance(value, dict) and {"driver_opts", "file", "driver"} & set(
                value
            ):
                yield _power(f"takes `{key}` from the machine")


def _is_named(volume: object) -> bool:
    if isinstance(volume, str):
        source, separator, _ = volume.partition(":")
        return not separator or source[:1].isalnum()
    return isinstance(volume, dict) and volume.get("type") in {"volume", "tmpfs"}


def _power(why: str) -> Raise:
    return Raise(
        Tier.CRITICAL_RED,
        "power",
        f"{why}: whoever is in the container then reaches the machine",
        alternative="use named volumes and no powers of the machine",
    )
