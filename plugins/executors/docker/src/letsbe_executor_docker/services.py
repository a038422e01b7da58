"""What the services of a compose file reach, judged as ``docker run`` would be."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from letsbe.plugin import (
    CommandRefused,
    Effect,
    Tier,
    Word,
    line_from_argv,
    parse_line,
    path_effects,
)
from letsbe_executor_docker.compose import ComposeFile
from letsbe_executor_docker.mounts import Mounts
from letsbe_executor_docker.subcommands import Found, Setting
from letsbe_executor_docker.variables import UNKNOWN


def _keys(text: str) -> frozenset[str]:
    return frozenset(text.split())


_HARMLESS = _keys(
    "annotations attach blkio_config cap_drop cgroup_parent configs container_name"
    " cpu_count cpu_percent cpu_period cpu_quota cpu_rt_period cpu_rt_runtime"
    " cpu_shares cpus cpuset depends_on dns dns_opt dns_search domainname"
    " environment expose external_links extra_hosts group_add healthcheck hostname"
    " image init isolation labels links mac_address mem_limit mem_reservation"
    " mem_swappiness memswap_limit models networks oom_kill_disable oom_score_adj"
    " pids_limit platform ports profiles read_only restart scale secrets shm_size"
    " stdin_open stop_grace_period stop_signal storage_opt sysctls tmpfs tty ulimits"
    " user working_dir"
)
"""Keys that stay inside the container, or that other rules look at."""
_RED = {
    "cap_add": "gives the container more rights on the host",
    "credential_spec": "gives the container credentials of the host",
    "device_cgroup_rules": "opens devices of the host",
    "devices": "gives the container devices of the host",
    "gpus": "gives the container devices of the host",
    "post_start": "runs commands in the container that are not judged",
    "pre_stop": "runs commands in the container that are not judged",
    "provider": "runs a program on the host",
    "runtime": "replaces the program that confines containers",
    "volumes_from": "takes over every mount of another container",
}
_CRITICAL = {
    "privileged": "gives the container the whole machine",
    "use_api_socket": "gives the container the Docker Engine",
}
_TOP_LEVEL = _keys(
    "version name services networks volumes configs secrets include models"
)
_BUILD = _keys(
    "additional_contexts args cache_from context dockerfile dockerfile_inline"
    " extra_hosts isolation labels network no_cache platforms provenance pull sbom"
    " secrets shm_size tags target ulimits"
)


def file_findings(
    file: ComposeFile, setting: Setting, *, builds: bool
) -> Iterator[tuple[str, Found]]:
    """Judge everything that a compose file declares.

    Args:
        file: The file.
        setting: What the judgement depends on.
        builds: Whether images that are missing would be built.

    Yields:
        Each finding with the name of the service, or of the part of the file.
    """
    for base in file.bases:
        where = replace(setting.where, cwd=base)
        local = replace(setting, where=where, mounts=setting.mounts.at(base))
        yield from _document(file.document, local, builds=builds)


def _document(
    document: Mapping[str, Any], setting: Setting, *, builds: bool
) -> Iterator[tuple[str, Found]]:
    for key in document:
        if key not in _TOP_LEVEL and not key.startswith("x-"):
            yield key, _unknown(key)
    for name, service in _table(document.get("services")):
        for found in _service(service, setting, builds=builds):
            yield name, found
    for name, volume in _table(document.get("volumes")):
        yield from ((name, found) for found in _volume(volume, setting.mounts))
    for name, network in _table(document.get("networks")):
        yield from ((name, found) for found in _network(network))
    for part in ("secrets", "configs"):
        for name, item in _table(document.get(part)):
            if item.get("file"):
                effects = _path("read", item["file"], setting)
                yield from ((name, effect) for effect in effects)


def _service(
    service: Mapping[str, Any], setting: Setting, *, builds: bool
) -> Iterator[Found]:
    for key, value in service.items():
        if value in (None, False, "", [], {}) or key.startswith("x-"):
            continue
        if key in _CRITICAL:
            yield Effect(Tier.CRITICAL_RED, key, _CRITICAL[key])
        elif key in _RED:
            yield Effect(Tier.RED, key, _RED[key])
        elif key in _CHECKED:
            yield from _CHECKED[key](value, setting)
        elif key == "build":
            yield from _build(value, setting, builds=builds)
        elif key not in _HARMLESS:
            yield _unknown(key)
    yield from _commands(service, setting)


def _commands(service: Mapping[str, Any], setting: Setting) -> Iterator[Found]:
    entrypoint = _words(service.get("entrypoint"))
    command = _words(service.get("command"))
    if entrypoint is None or command is None:
        why = "the command of a service is not understood"
        yield Effect(Tier.RED, "command", why)
        return
    words = [*entrypoint, *command]
    # Without an entrypoint, flags are for the program that the image names.
    if words and not (not entrypoint and words[0].text.startswith("-")):
        yield from setting.inner.words(words)
    check = service.get("healthcheck")
    test = check.get("test") if isinstance(check, dict) else None
    if isinstance(test, list) and test[:1] in (["CMD"], ["NONE"]):
        words = _words(test[1:]) or []
        yield from setting.inner.words(words) if words else ()
    elif test:
        text = test[-1] if isinstance(test, list) else test
        yield from setting.inner.line(str(text), (0, 0))


def _words(value: Any) -> list[Word] | None:  # noqa: ANN401 - YAML
    """Read a command, as a list or a line; ``None`` if it is not understood."""
    if value is None or value == "":
        return []
    try:
        if isinstance(value, list):
            line = line_from_argv([str(item) for item in value]) if value else None
        else:
            line = parse_line(str(value))
    except CommandRefused:
        return None
    if line is None:
        return []
    if len(line.stages) != 1 or line.stages[0].stdin:
        return None
    return list(line.stages[0].words)


def _volumes(value: Any, setting: Setting) -> Iterator[Found]:  # noqa: ANN401 - YAML
    for item in _list(value):
        if isinstance(item, dict):
            if item.get("type") not in ("volume", "tmpfs", "image"):
                read_only = item.get("read_only") is True
                source = str(item.get("source") or UNKNOWN)
                yield from setting.mounts.source(source, read_only=read_only)
            elif item.get("type") == "volume" and item.get("source"):
                yield from setting.mounts.volume(f"{item['source']}:/volume")
        else:
            yield from setting.mounts.volume(str(item))


def _volume(volume: Mapping[str, Any], mounts: Mounts) -> Iterator[Effect]:
    if volume.get("driver") not in (None, "local"):
        why = "leaves the volume to a plugin"
        yield Effect(Tier.RED, "volume_driver", why)
    options = volume.get("driver_opts") or {}
    if isinstance(options, dict):
        yield from mounts.options({str(k).lower(): str(v) for k, v in options.items()})
    else:
        yield _unknown("driver_opts")


def _network(network: Mapping[str, Any]) -> Iterator[Effect]:
    driver = network.get("driver")
    if driver not in (None, "bridge", "overlay", "none") or network.get("name") in (
        "host",
        UNKNOWN,
    ):
        why = "puts containers on the network of the host"
        yield Effect(Tier.RED, "network_host", why)


def _namespace(value: Any, _setting: Setting) -> Iterator[Found]:  # noqa: ANN401
    text = str(value).lower()
    if "host" in text or "container:" in text or UNKNOWN in text:
        why = "takes away the wall between the container and the host, or another"
        yield Effect(Tier.RED, "host_namespace", why)


def _network_mode(value: Any, _setting: Setting) -> Iterator[Found]:  # noqa: ANN401
    if "host" in str(value).lower() or UNKNOWN in str(value):
        why = "gives the container the network of the host"
        yield Effect(Tier.RED, "network_host", why)


def _security(value: Any, _setting: Setting) -> Iterator[Found]:  # noqa: ANN401
    harmless = {"no-new-privileges", "no-new-privileges:true", "no-new-privileges=true"}
    if set(map(str, _list(value))) - harmless:
        yield Effect(Tier.RED, "security_opt", "changes what confines the container")


def _env_files(value: Any, setting: Setting) -> Iterator[Found]:  # noqa: ANN401
    for item in _list(value):
        path = item.get("path") if isinstance(item, dict) else item
        own = posixpath.normpath(posixpath.join(setting.where.cwd, str(path)))
        for effect in _path("read", path, setting):
            # Handing its variables to a service is what the project's own .env is for.
            if effect.refused or not own.startswith(f"{setting.where.cwd}/"):
                yield effect


def _elsewhere(_value: Any, _setting: Setting) -> Iterator[Found]:  # noqa: ANN401
    yield from ()  # `extends` names a file that is judged whole; see also _commands


def _logging(value: Any, _setting: Setting) -> Iterator[Found]:  # noqa: ANN401
    driver = value.get("driver", "json-file") if isinstance(value, dict) else UNKNOWN
    if driver not in ("json-file", "local", "journald", "none"):
        why = "sends the logs to another machine"
        yield Effect(Tier.YELLOW_EXTERNAL, "log_driver", why, True, hosts=None)


def _deploy(value: Any, _setting: Setting) -> Iterator[Found]:  # noqa: ANN401
    resources = value.get("resources") if isinstance(value, dict) else None
    reserved = resources.get("reservations") if isinstance(resources, dict) else None
    if isinstance(reserved, dict) and reserved.get("devices"):
        yield Effect(Tier.RED, "devices", _RED["devices"])


def _pull_policy(value: Any, _setting: Setting) -> Iterator[Found]:  # noqa: ANN401
    if value not in ("never", "missing", "if_not_present"):
        why = "pulls or builds the image each time"
        yield Effect(Tier.YELLOW_EXTERNAL, "pull", why, True, hosts=None)


def _develop(value: Any, setting: Setting) -> Iterator[Found]:  # noqa: ANN401
    watch = value.get("watch") if isinstance(value, dict) else [UNKNOWN]
    for item in _list(watch):
        if not isinstance(item, dict) or item.get("exec"):
            yield Effect(Tier.RED, "develop", "runs commands when files change")
        elif item.get("path"):
            yield from _path("read", item["path"], setting)


def _build(
    value: Any,  # noqa: ANN401 - YAML
    setting: Setting,
    *,
    builds: bool,
) -> Iterator[Found]:
    build = value if isinstance(value, dict) else {"context": value}
    for key, item in build.items():
        if item and key not in _BUILD and not key.startswith("x-"):
            yield Effect(Tier.RED, f"build.{key}", f"the build asks for {key}")
    if str(build.get("network", "")).lower() == "host":
        why = "gives the steps of the build the network of the host"
        yield Effect(Tier.RED, "network_host", why)
    context = str(build.get("context", "."))
    if "://" not in context and "@" not in context:
        yield from _path("read", context, setting)
    if builds:
        why = "builds an image; its steps run programs and may reach the network"
        yield Effect(Tier.YELLOW_EXTERNAL, "build", why, external=True, hosts=None)


_CHECKED: Mapping[str, Callable[[Any, Setting], Iterator[Found]]] = {
    "cgroup": _namespace,
    "deploy": _deploy,
    "develop": _develop,
    "env_file": _env_files,
    "extends": _elsewhere,
    "ipc": _namespace,
    "label_file": _env_files,
    "logging": _logging,
    "network_mode": _network_mode,
    "pid": _namespace,
    "pull_policy": _pull_policy,
    "security_opt": _security,
    "userns_mode": _namespace,
    "uts": _namespace,
    "volumes": _volumes,
    "command": _elsewhere,
    "entrypoint": _elsewhere,
}


def _path(kind: str, value: Any, setting: Setting) -> Iterator[Effect]:  # noqa: ANN401
    text = str(value)
    if UNKNOWN in text:
        yield Effect(Tier.RED, "path", "a path cannot be told")
        return
    yield from path_effects(kind, Word(text), setting.where, recursive=False)


def _table(value: Any) -> list[tuple[str, Mapping[str, Any]]]:  # noqa: ANN401 - YAML
    """Return the entries of a table; one of another form counts as unknown."""
    if value is None:
        return []
    if not isinstance(value, dict):
        return [("", {UNKNOWN: True})]
    return [
        (name, item if isinstance(item, dict) else {UNKNOWN: item})
        for name, item in value.items()
        if item is not None
    ]


def _list(value: Any) -> Sequence[Any]:  # noqa: ANN401 - YAML
    return value if isinstance(value, list) else [value]


def _unknown(key: str) -> Effect:
    name = key if key.isidentifier() else "a part of it"
    return Effect(Tier.RED, "unknown_key", f"{name} is not understood")
