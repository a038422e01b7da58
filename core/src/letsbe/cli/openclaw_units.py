"""``letsbe openclaw units``: service files and packet rules."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import click

from letsbe.cli.openclaw_program import configured, program_options
from letsbe.cli.output import home_option, json_option, print_json, reporting
from letsbe.errors import ConfigurationError
from letsbe.home import Home

PROXY_USER = "letsbe-proxy"
OWN_USER = """
The Secrets Proxy gets an account of its own. Put under [proxy] in {configuration}:
  user = "{user}\""""
NEXT = """
Look at them, and then, as root:
  systemd-sysusers {to}/letsbe.sysusers
  install -m 644 {to}/letsbe.tmpfiles /etc/tmpfiles.d/letsbe.conf
  systemd-tmpfiles --create letsbe.conf
  install -m 644 {to}/*.service {to}/*.timer /etc/systemd/system/
  nft -c -f {to}/letsbe.nft && install -m 644 {to}/letsbe.nft /etc/nftables.d/
  systemctl daemon-reload && systemctl enable --now letsbe letsbe-proxy openclaw"""


@click.command()
@home_option
@click.option(
    "--to",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="The folder that gets the files.",
)
@click.option("--user", default="openclaw", show_default=True, help="Its account.")
@click.option("--letsbe-user", default="letsbe", show_default=True)
@click.option("--memory", default="3G", show_default=True, help="The most it may take.")
@program_options
@json_option
@reporting
def units(
    home: Home,
    to: Path,
    user: str,
    letsbe_user: str,
    memory: str,
    program_path: Path | None,
    node: Path | None,
    as_json: bool,
) -> None:
    """Write service files and packet rules that hold OpenClaw.

    Each line says what it prevents. Nothing is installed: that is for a person who
    has looked at them. Run `configure` first.
    """
    from letsbe.configuration import load_configuration  # noqa: PLC0415 - slow
    from letsbe.openclaw.units import Machine, units  # noqa: PLC0415

    configuration = load_configuration(home)
    tenant, places = configured(home)
    machine = Machine(
        home=home.folder,
        state=places.state,
        letsbe=Path(sys.argv[0]).absolute(),
        node=_found(node, "node"),
        program=_found(program_path, "openclaw").resolve(),
        user=user,
        letsbe_user=letsbe_user,
        proxy_user=configuration.proxy.user or PROXY_USER,
        memory=memory,
    )
    texts = units(tenant, configuration, machine)
    to.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (to / name).write_text(text, encoding="utf-8")
    if as_json:
        print_json({"written": [str(to / name) for name in texts]})
        return
    for name in texts:
        click.echo(str(to / name))
    if configuration.proxy.user is None:
        shown = {"configuration": home.configuration, "user": PROXY_USER}
        click.echo(OWN_USER.format(**shown))
    click.echo(NEXT.format(to=to))


def _found(path: Path | None, name: str) -> Path:
    found = path or shutil.which(name)
    if found is None:
        message = f"there is no {name} on PATH: name it with --{name}"
        raise ConfigurationError(message)
    return Path(found).absolute()
