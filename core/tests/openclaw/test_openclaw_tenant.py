from __future__ import annotations

import json
from typing import Any

import pytest

from letsbe.errors import ConfigurationError, InvalidRequest, NotFound, StorageError
from letsbe.openclaw.document import checked
from letsbe.openclaw.tenant import AgentProfile, Channel, Model


def test_what_is_written_is_read_again(business: Any) -> None:
    agent = AgentProfile(agent_id="bookkeeper", name="Ledger", model="router/x")
    business.document.put(agent)
    business.document.put(Channel(channel="telegram", owner="123456"))
    tenant = business.document.read()
    assert tenant.business.name == "Café Möwe"
    assert tenant.agents == (agent,)
    assert tenant.channels[0].agent_id == "dispatcher"


def test_a_row_of_the_same_name_is_replaced(business: Any) -> None:
    for window in (4096, 8192):
        business.document.put(
            Model(upstream="openai", model="m", context_window=window)
        )
    assert [m.context_window for m in business.document.read().models] == [
        200_000,
        8192,
    ]


def test_one_model_of_two_upstreams_is_two_models(business: Any) -> None:
    for upstream in ("openai", "router"):
        business.document.put(Model(upstream=upstream, model="m"))
    business.document.remove("models", "openai/m")
    names = [model.name for model in business.document.read().models]
    assert names == ["router/z-ai/glm-5", "router/m"]


def test_what_is_not_there_cannot_be_removed(business: Any) -> None:
    with pytest.raises(NotFound, match="agents have none"):
        business.document.remove("agents", "nobody")


@pytest.mark.parametrize(
    ("kind", "fields", "wrong"),
    [
        (AgentProfile, {"agent_id": "../x", "name": "X"}, "agent_id"),
        (AgentProfile, {"agent_id": "x", "name": "two\nlines"}, "name"),
        (AgentProfile, {"agent_id": "x", "name": "X", "role": "king"}, "role"),
        (AgentProfile, {"agent_id": "x", "name": "X", "level": 3}, "level"),
        (Channel, {"channel": "telegram", "owner": "@ada"}, "owner"),
        (Channel, {"channel": "signal", "owner": "123456"}, "channel"),
        (Model, {"upstream": "o", "model": "m", "context_window": 1}, "context_window"),
    ],
)
def test_a_wrong_row_is_refused_by_field(
    kind: Any, fields: dict[str, Any], wrong: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        checked(kind, fields)
    assert caught.value.details[0].field == wrong


def test_a_time_zone_has_to_exist(business: Any) -> None:
    with pytest.raises(InvalidRequest, match="time zone such as"):
        business.document.set_single("business", timezone="Europe/Atlantis")
    assert business.document.read().business.timezone == "Europe/Berlin"


def test_a_damaged_document_is_left_as_it_is(business: Any) -> None:
    business.home.tenant.write_text("{", encoding="utf-8")
    with pytest.raises(StorageError, match="damaged"):
        business.document.read()
    assert business.home.tenant.read_text(encoding="utf-8") == "{"


def test_a_row_that_someone_spoilt_is_named(business: Any) -> None:
    tables = json.loads(business.home.tenant.read_text(encoding="utf-8"))
    tables["models"]["1"]["max_tokens"] = "many"
    business.home.tenant.write_text(json.dumps(tables), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"wrong model: max_tokens"):
        business.document.read()


def test_commands_write_the_document(business: Any) -> None:
    business.run("openclaw", "model", "add", "openai", "gpt-x", "--images")
    business.run("openclaw", "agent", "add", "books", "--name", "Books")
    business.run("openclaw", "channel", "add", "whatsapp", "--owner", "+4915551")
    business.run("openclaw", "tenant", "--gateway-port", "19000")
    facts = json.loads(business.run("openclaw", "tenant", "--json"))
    assert facts["models"] == ["router/z-ai/glm-5", "openai/gpt-x"]
    assert facts["agents"][0] == "dispatcher"
    assert facts["agents"][-1] == "books"
    assert facts["channels"] == ["whatsapp"]
    assert facts["gateway_port"] == 19000
    for kind, name in (("model", "openai/gpt-x"), ("agent", "books")):
        business.run("openclaw", kind, "remove", name)
    business.run("openclaw", "channel", "remove", "whatsapp")
    facts = json.loads(business.run("openclaw", "tenant", "--json"))
    assert "books" not in facts["agents"]
    assert facts["channels"] == []


def test_a_tenant_that_lacks_something_is_told_what(business: Any) -> None:
    business.document.remove("models", "router/z-ai/glm-5")
    assert "openclaw model add" in business.configure(code=1)
    business.home.tenant.unlink()
    assert "--business" in business.configure(code=1)
