"""``letsbe up``: runs the Safety Wrapper until it is stopped."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack

import click

from letsbe.cli.output import (
    home_option,
    json_option,
    print_facts,
    print_json,
    reporting,
)
from letsbe.home import Home


@click.command()
@home_option
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Instead of the configured one."
)
@json_option
@reporting
def up(home: Home, port: int | None, as_json: bool) -> None:
    """Run the Safety Wrapper, and the Secrets Proxy if it has an upstream.

    A proxy with an account of its own is a service of its own, which this does not
    start unless it runs as root.

    A server that is registered keeps in touch with its Hub, and works without it.

    Prints what runs where as soon as requests are taken. SIGTERM and Ctrl-C end it:
    calls that run may finish, for ten seconds.
    """
    from letsbe.footprint import give_back, keep_small  # noqa: PLC0415 - ctypes

    keep_small()
    from letsbe.configuration import load_configuration  # noqa: PLC0415 - slow to import
    from letsbe.discovery.records import Status  # noqa: PLC0415
    from letsbe.hub_client.opening import open_client  # noqa: PLC0415
    from letsbe.listening import settled_port  # noqa: PLC0415
    from letsbe.proxy.child import proxy_beside  # noqa: PLC0415
    from letsbe.wrapper.opening import open_wrapper  # noqa: PLC0415
    from letsbe.wrapper.server import serve  # noqa: PLC0415

    with ExitStack() as closing:
        # Agents' tools are kept from the ports that are used, not only configured.
        configured = load_configuration(home)
        settings = configured.wrapper
        port = settled_port(settings.host, settings.port if port is None else port)
        proxy_port = settled_port(configured.proxy.host, configured.proxy.port)
        wrapper = closing.enter_context(
            open_wrapper(home, port=port, proxy_port=proxy_port)
        )
        proxy = closing.enter_context(proxy_beside(home, configured.proxy, proxy_port))
        wrapper.plugins.prepare()
        give_back()
        where: list[str] = []
        client = open_client(wrapper, lambda: where[0] if where else None)
        active = [r.label for r in wrapper.plugins.records if r.status is Status.ACTIVE]
        broken = [f"{r.label}: {r.reason}" for r in wrapper.plugins.records if r.failed]

        def announce(address: str) -> None:
            where.append(address)
            facts = {
                "safety_wrapper": address,
                "mcp": f"{address}/mcp",
                "secrets_proxy": proxy,
                "hub": client.url if client else None,
                "home": str(home.folder),
                "roots": [str(root) for root in wrapper.configuration.files.roots],
                "plugins": active,
                "unavailable": broken,
                "agent_tokens": str(home.agent_tokens),
            }
            _print(facts, as_json=as_json)

        beside = [client.running] if client else []
        serve(wrapper, announce, port=port, beside=beside)


def _print(facts: Mapping[str, object], *, as_json: bool) -> None:
    if as_json:
        print_json(facts)
        return
    print_facts([(k.replace("_", " "), v) for k, v in facts.items()])
    click.echo("\nStop with Ctrl-C or SIGTERM.")
