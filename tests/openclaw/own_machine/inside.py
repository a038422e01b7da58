"""The first program of the machine: mounts, sets the tenant up, becomes systemd."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.openclaw.own_machine import places

MOUNTS = """
set -e
mount --make-rprivate /
cd "$1"
mount -t tmpfs tmpfs "$1/layer"
mkdir layer/upper layer/work layer/root
places=lowerdir=/,upperdir=layer/upper,workdir=layer/work
mount -t overlay overlay -o "$places" layer/root
cd layer/root
test "$(stat -f -c %T .)" = overlayfs
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t tmpfs tmpfs dev
for name in null zero full random urandom tty; do
  touch dev/$name && mount --bind /dev/$name dev/$name
done
mkdir dev/shm dev/pts dev/mqueue dev/hugepages
mount -t devpts -o newinstance,ptmxmode=666,mode=620 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
for name in run tmp dev/shm; do mount -t tmpfs -o mode=1777 tmpfs $name; done
mount -t tmpfs tmpfs sys/fs/cgroup 2>/dev/null || true
mount -t cgroup2 cgroup2 sys/fs/cgroup
mkdir -p opt/openclaw opt/out run/systemd/system
mount --bind "$2" opt/openclaw
mount --bind "$1/out" opt/out
# Nothing of this machine's own services, only what is put in below.
rm -rf etc/systemd/system usr/lib/systemd/system/*.wants
mkdir -p etc/systemd/system
# Interpreters may lie in root's folder; the accounts inside have to reach them.
chmod a+x root
ip link set lo up
ip address add 192.0.2.1/24 dev lo
"""

DRIVER = """
[Unit]
Wants=letsbe-proxy.service openclaw.service
SuccessAction=exit-force
FailureAction=exit-force
[Service]
Type=oneshot
TimeoutStartSec=240
WorkingDirectory={repository}
ExecStart={python} -m tests.openclaw.own_machine.driver
StandardOutput=file:{out}/driver.log
StandardError=inherit
"""

# What the unit allows is tried as the unit's own process, before OpenClaw starts.
PROBED = """
[Service]
ExecStartPre={node} {probe} {found}
StandardOutput=file:{out}/openclaw.log
StandardError=inherit
"""

LOGGED = """
[Service]
StandardOutput=file:{out}/{name}.log
StandardError=inherit
"""

# Where this machine's interpreter lies in root's folder, and no other.
WITH_INTERPRETER = """
[Service]
ProtectHome=tmpfs
BindReadOnlyPaths={interpreter}
"""


def main(folder: str, runtime: str, repository: str) -> None:
    """Never returns."""
    layer = Path(folder) / "layer"
    layer.mkdir()
    subprocess.run(["sh", "-c", MOUNTS, "sh", folder, runtime], check=True)
    os.chroot(layer / "root")
    os.chdir(repository)
    _set_up(Path(sys.prefix) / "bin" / "letsbe")
    _install(repository)
    os.environ["container"] = "letsbe-test"  # noqa: SIM112 - systemd's name for it
    words = ["--system", "--unit=driver.service", "--log-target=console"]
    os.execv("/lib/systemd/systemd", ["systemd", *words, "--show-status=no"])


def _node() -> Path:
    return next(places.OPENCLAW.glob("node_modules/node-linux-*/bin/node"))


def _set_up(letsbe: Path) -> None:
    """Do what docs/openclaw.md tells an operator to do."""
    places.WORK.mkdir(parents=True)
    (places.WORK / "menu.txt").write_text("rhubarb cake")

    def run(*words: str) -> None:
        command = [str(letsbe), *words, "--home", str(places.HOME)]
        subprocess.run(command, check=True)

    run("init", "--root", str(places.WORK))
    with (places.HOME / "letsbe.toml").open("a") as file:
        file.write(
            "\n[proxy.upstreams.router]\n"
            f'base_url = "http://127.0.0.1:{places.LLM_PORT}"\n'
        )
    facts = ["--business", "Moewe", "--owner", "Ada", "--domain", "moewe.example"]
    run("openclaw", "tenant", *facts)
    run("openclaw", "model", "add", "router", "anthropic/large-x")
    package = places.OPENCLAW / "node_modules/openclaw/openclaw.mjs"
    program = ["--openclaw", str(package), "--node", str(_node())]
    places.STATE.mkdir(mode=0o700)
    run("openclaw", "configure", "--state", str(places.STATE), "--yes", *program)
    run("openclaw", "units", "--to", "/opt/units", *program)


def _install(repository: str) -> None:
    """Install the units as the command says, and what looks at them beside."""
    values = {
        "repository": repository,
        "python": sys.executable,
        "out": places.OUT,
        "node": _node(),
        "probe": places.PROBE,
        "found": places.FOUND,
        "interpreter": sys.base_prefix,
    }
    script = f"""
    set -e
    systemd-sysusers /opt/units/letsbe.sysusers
    chown -R letsbe:letsbe {places.HOME} {places.WORK}
    chown -R openclaw:openclaw {places.STATE}
    install -m 644 /opt/units/letsbe.tmpfiles /etc/tmpfiles.d/letsbe.conf
    systemd-tmpfiles --create letsbe.conf
    # What `letsbe openclaw units` says to put there.
    sed -i 's/^\\[proxy\\]$/&\\nuser = "letsbe-proxy"/' {places.HOME}/letsbe.toml
    install -m 644 /opt/units/*.service /opt/units/*.timer /etc/systemd/system/
    nft -f /opt/units/letsbe.nft
    """
    subprocess.run(["sh", "-c", script], check=True)
    places.PROBE.write_bytes(Path(__file__).with_name("probe.mjs").read_bytes())
    units = Path("/etc/systemd/system")
    (units / "driver.service").write_text(DRIVER.format(**values))
    proxy = LOGGED
    if sys.base_prefix.startswith(("/root/", "/home/")):
        proxy += WITH_INTERPRETER
    beside = {"openclaw": PROBED, "letsbe": LOGGED, "letsbe-proxy": proxy}
    for name, text in beside.items():
        folder = units / f"{name}.service.d"
        folder.mkdir()
        (folder / "test.conf").write_text(text.format(name=name, **values))


if __name__ == "__main__":
    main(*sys.argv[1:])
