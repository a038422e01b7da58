from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from letsbe.configuration import load_configuration
from letsbe.errors import ConfigurationError
from letsbe.openclaw.configuring import add_default_agents
from letsbe.openclaw.routes import BridgeRoute, McpRoute, check_variables, route_of
from letsbe.openclaw.settings import Places, settings
from letsbe.openclaw.tenant import AgentProfile, Channel, Model
from letsbe.openclaw.workspace import scopes_of

STATE = Path("/var/lib/openclaw")


def made(business: Any, route: Any = None) -> dict[str, Any]:
    add_default_agents(business.home)
    configuration = load_configuration(business.home)
    tenant = business.document.read()
    scopes = scopes_of(business.home, tenant)
    return settings(tenant, configuration, Places(STATE), route or McpRoute(), scopes)


def test_every_model_is_behind_the_proxy_and_no_real_key_is_there(
    business: Any,
) -> None:
    business.document.put(Model(upstream="anthropic", model="large-x"))
    business.document.put(Model(upstream="openai", model="gpt-x"))
    models = made(business)["models"]
    assert models["mode"] == "replace"
    assert len(models["providers"]) == 5 * 3
    for block in models["providers"].values():
        assert block["baseUrl"].startswith("http://127.0.0.1:8100/agents/")
        assert block["apiKey"] == "the-secrets-proxy-holds-the-key"
    addresses = {n: b["baseUrl"] for n, b in models["providers"].items()}
    start = "http://127.0.0.1:8100/agents/sales"
    assert addresses["router-sales"] == f"{start}/v1"
    assert addresses["openai-sales"] == f"{start}/openai/v1"
    assert addresses["anthropic-sales"] == f"{start}/anthropic"


@pytest.mark.parametrize(
    ("upstream", "model", "caching", "expected"),
    [
        (
            "router",
            "anthropic/large-x",
            "auto",
            {"cacheControlFormat": "anthropic", "supportsLongCacheRetention": True},
        ),
        ("router", "deepseek/v3.2", "auto", None),
        ("router", "openai/gpt-x", "openai", {"supportsPromptCacheKey": True}),
        ("openai", "gpt-x", "auto", {"supportsPromptCacheKey": True}),
        ("openai", "gpt-x", "none", None),
        ("anthropic", "large-x", "auto", None),
    ],
)
def test_cache_markers_go_to_those_who_take_them(
    business: Any, upstream: str, model: str, caching: Any, expected: Any
) -> None:
    business.document.put(Model(upstream=upstream, model=model, caching=caching))
    found = made(business)
    assert found["agents"]["defaults"]["params"] == {"cacheRetention": "long"}
    block = found["models"]["providers"][f"{upstream}-sales"]["models"][-1]
    assert block["id"] == model
    assert block.get("compat") == expected


def test_each_agent_has_its_own_provider_server_and_token(business: Any) -> None:
    found = made(business)
    entry = found["agents"]["entries"]["it-admin"]
    name = "router-it-admin/z-ai/glm-5"
    assert entry["model"]["primary"] == name
    assert entry["modelPolicy"]["allow"] == [name]
    assert entry["workspace"] == "/var/lib/openclaw/agents/it-admin"
    assert entry["tools"]["allow"] == ["sw-it-admin__*"]
    server = found["mcp"]["servers"]["sw-it-admin"]
    assert server["url"] == "http://127.0.0.1:8200/mcp"
    assert server["headers"]["Authorization"] == "Bearer ${LETSBE_TOKEN_IT_ADMIN}"
    assert server["requestTimeoutMs"] == 600_000


def test_the_bridge_takes_the_place_of_mcp(business: Any) -> None:
    found = made(business, BridgeRoute(Path("/opt/bridge")))
    assert found["tools"]["allow"] == ["letsbe-bridge"]
    entries = found["agents"]["entries"]
    assert entries["it-admin"]["tools"]["allow"] == ["letsbe_*"]
    allowed = entries["dispatcher"]["tools"]["allow"]
    own = ["describe_tool", "use_tool", "approval_status"]
    assert allowed[:3] == [f"letsbe_{name}" for name in own]
    assert {"letsbe_file_read", "letsbe_nextcloud_*"} <= set(allowed)
    assert "letsbe_shell" not in allowed
    assert found["mcp"]["servers"] == {}
    plugins = found["plugins"]
    assert plugins["allow"] == ["letsbe-bridge"]
    assert plugins["load"] == {"paths": ["/opt/bridge"]}
    config = plugins["entries"]["letsbe-bridge"]["config"]
    assert config["wrapperUrl"] == "http://127.0.0.1:8200"
    assert config["tokens"]["it-admin"] == "${LETSBE_TOKEN_IT_ADMIN}"


def test_no_way_in_or_out_is_left_to_a_default(business: Any) -> None:
    found = made(business)
    assert found["gateway"]["bind"] == "loopback"
    assert found["gateway"]["auth"]["token"] == "${OPENCLAW_GATEWAY_TOKEN}"
    assert found["cron"] == {"triggers": {"enabled": False}}
    commands = {k: v for k, v in found["commands"].items() if k != "ownerAllowFrom"}
    assert set(commands.values()) == {False}
    assert set(commands) == {"bash", "config", "debug", "mcp", "plugins", "restart"}
    assert found["tools"]["elevated"] == {"enabled": False}
    assert found["tools"]["exec"] == {"security": "deny"}
    for switch in ("acp", "browser", "hooks", "telemetry"):
        assert found[switch]["enabled"] is False
    for entry in found["agents"]["entries"].values():
        assert entry["runtime"] == {"type": "embedded"}


def test_a_channel_has_its_owner_before_anyone_is_paired(business: Any) -> None:
    token = Path("/run/credentials/telegram")
    business.document.put(
        Channel(channel="telegram", owner="42424242", token_file=token)
    )
    business.document.put(Channel(channel="whatsapp", owner="+4915551"))
    found = made(business)
    assert found["commands"]["ownerAllowFrom"] == [
        "telegram:42424242",
        "whatsapp:+4915551",
    ]
    assert found["session"] == {"dmScope": "per-channel-peer"}
    for channel in found["channels"].values():
        assert channel["dmPolicy"] == "pairing"
        assert channel["groupPolicy"] == "allowlist"
        assert channel["configWrites"] is False
    assert found["channels"]["telegram"]["tokenFile"] == str(token)
    assert found["channels"]["telegram"]["groups"] == {"*": {"requireMention": True}}
    assert found["plugins"]["allow"] == ["telegram", "whatsapp"]
    match = {"channel": "telegram", "accountId": "*"}
    assert {"agentId": "dispatcher", "match": match} in found["bindings"]


@pytest.mark.parametrize(
    ("channel", "message"),
    [
        ({"channel": "telegram", "owner": "42424242"}, "file with the bot's token"),
        ({"channel": "whatsapp", "owner": "4915551"}, "begin with +"),
        (
            {"channel": "whatsapp", "owner": "+4915551", "agent_id": "nobody"},
            "nobody should answer at whatsapp",
        ),
    ],
)
def test_a_channel_that_could_not_work_is_refused(
    business: Any, channel: dict[str, Any], message: str
) -> None:
    business.document.put(Channel.model_validate(channel))
    with pytest.raises(ConfigurationError) as caught:
        made(business)
    assert message in caught.value.message


def test_a_model_behind_no_upstream_is_refused(business: Any) -> None:
    business.document.put(Model(upstream="nowhere", model="m"))
    with pytest.raises(ConfigurationError, match="nowhere"):
        made(business)


def test_an_agent_with_an_unknown_model_is_refused(business: Any) -> None:
    agent = AgentProfile(agent_id="x", name="X", model="router/none")
    business.document.put(agent)
    with pytest.raises(ConfigurationError, match="model of x"):
        made(business)


def test_agents_that_would_share_a_token_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="rename"):
        check_variables(("front-desk", "front_desk"))


def test_a_bridge_that_is_not_there_is_refused(business: Any, tmp_path: Path) -> None:
    business.document.set_single("runtime", bridge=str(tmp_path))
    add_default_agents(business.home)
    with pytest.raises(ConfigurationError, match=r"openclaw\.plugin\.json"):
        route_of(business.document.read())
    (tmp_path / "openclaw.plugin.json").write_text("{}")
    assert route_of(business.document.read()) == BridgeRoute(tmp_path)
