"""Agents and versions: made, changed, compared, staged, acknowledged, rolled out."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.tests.site import People, Site, Tenant
from letsbe.hub_client.documents import difference, digest, merged

CONFIG = "/api/v1/tenant/config"
AGENT = {"name": "IT Admin", "model": "deepseek/deepseek-v3.2", "soul": "# IT Admin"}


@pytest.fixture
def tenant(site: Site) -> Tenant:
    return site.tenant()


@pytest.fixture
def boss(staff: People) -> dict[str, str]:
    return staff.add(
        "boss", "configuration.read", "configuration.write", "rollouts.write"
    )


def base(tenant: Tenant) -> str:
    return f"/api/v1/admin/tenants/{tenant.id}"


def made(site: Site, tenant: Tenant, boss: dict[str, str], **more: Any) -> Any:
    said = {"agentId": "it-admin", "settings": AGENT | more}
    return site.http.post(f"{base(tenant)}/agents", headers=boss, json=said)


def fetched(site: Site, tenant: Tenant, **query: Any) -> Any:
    answer = site.http.get(CONFIG, headers=tenant.headers, params=query)
    return answer.json()["data"]


def told(site: Site, tenant: Tenant, **said: Any) -> Any:
    return site.http.post(CONFIG, headers=tenant.headers, json=said)


def test_an_agent_is_made_changed_and_removed(
    site: Site, tenant: Tenant, boss: dict[str, str]
) -> None:
    assert made(site, tenant, boss).json()["data"]["revision"] == 1
    assert made(site, tenant, boss).status_code == 409
    path = f"{base(tenant)}/agents/it-admin"
    changed = {"revision": 1, "settings": AGENT | {"autonomyLevel": 3}}
    answer = site.http.put(path, headers=boss, json=changed)
    assert answer.json()["data"]["revision"] == 2
    stale = site.http.put(path, headers=boss, json=changed)
    assert stale.json()["error"]["code"] == "STALE_REVISION"
    document = fetched(site, tenant)["document"]
    assert document["agents"]["it-admin"]["autonomyLevel"] == 3
    gone = site.http.delete(path, headers=boss, params={"revision": "2"})
    assert gone.status_code == 200
    assert site.http.get(path, headers=boss).status_code == 404
    assert fetched(site, tenant)["document"]["agents"] == {}
    assert fetched(site, tenant)["version"] == 3


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"model": "no such/../model"}, "settings.model"),
        ({"tools": ["rm -rf"]}, "settings.tools.0"),
        ({"autonomyLevel": 4}, "settings.autonomyLevel"),
        ({"externalUnlocks": ["ghost.*"]}, "settings.externalUnlocks.0"),
        ({"soul": "x" * 65_537}, "settings.soul"),
        ({"name": ""}, "settings.name"),
        ({"sudo": True}, "settings.sudo"),
    ],
)
def test_a_wrong_setting_is_named(
    site: Site,
    tenant: Tenant,
    boss: dict[str, str],
    settings: dict[str, Any],
    field: str,
) -> None:
    answer = made(site, tenant, boss, **settings)
    assert answer.status_code == 400
    assert [d["field"] for d in answer.json()["error"]["details"]] == [field]
    assert fetched(site, tenant)["version"] == 0


def test_a_change_goes_out_as_a_delta_that_adds_up(
    site: Site, tenant: Tenant, boss: dict[str, str]
) -> None:
    first = made(site, tenant, boss, soul="x" * 3900)
    assert first.status_code == 201, first.text
    whole = fetched(site, tenant)
    assert digest(whole["document"]) == whole["digest"]
    patch = {"patch": {"autonomyLevel": 1}, "note": "careful"}
    path = f"{base(tenant)}/configuration"
    answer = site.http.patch(path, headers=boss, json=patch)
    assert answer.status_code == 200, answer.text
    delta = fetched(site, tenant, since=1)
    assert delta["document"] is None
    assert delta["delta"] == {"autonomyLevel": 1}
    assert digest(merged(whole["document"], delta["delta"])) == delta["digest"]
    assert fetched(site, tenant, since=99)["document"] is not None


def test_versions_are_compared_and_brought_back(
    site: Site, tenant: Tenant, boss: dict[str, str]
) -> None:
    made(site, tenant, boss)
    path = f"{base(tenant)}/configuration"
    patch = {"patch": {"agents": {"it-admin": {"model": "x/y"}}}, "note": "faster"}
    site.http.patch(path, headers=boss, json=patch)
    query = {"old": "1", "new": "2"}
    compared = site.http.get(f"{path}/difference", headers=boss, params=query)
    assert compared.json()["data"]["patch"] == patch["patch"]
    site.http.post(f"{path}/revert", headers=boss, json={"version": 1})
    listed = site.http.get(f"{path}/versions", headers=boss).json()["data"]
    assert [row["version"] for row in listed] == [3, 2, 1]
    assert listed[0]["digest"] == listed[2]["digest"]
    agent = site.http.get(f"{base(tenant)}/agents/it-admin", headers=boss).json()
    assert agent["data"]["settings"]["model"] == AGENT["model"]
    assert agent["data"]["revision"] == 3


def test_a_change_for_an_older_version_is_refused(
    site: Site, tenant: Tenant, boss: dict[str, str]
) -> None:
    made(site, tenant, boss)
    patch = {"patch": {"autonomyLevel": 1}, "note": "x", "base": 0}
    path = f"{base(tenant)}/configuration"
    answer = site.http.patch(path, headers=boss, json=patch)
    assert answer.json()["error"]["code"] == "STALE_REVISION"


def test_a_change_that_changes_nothing_makes_no_version(
    site: Site, tenant: Tenant, boss: dict[str, str]
) -> None:
    patch = {"patch": {"autonomyLevel": 2}, "note": "x"}
    path = f"{base(tenant)}/configuration"
    answer = site.http.patch(path, headers=boss, json=patch)
    assert answer.json()["data"]["version"] == 0


def test_the_server_says_what_it_applied(
    site: Site, tenant: Tenant, boss: dict[str, str]
) -> None:
    made(site, tenant, boss)
    failed = told(site, tenant, version=1, state="failed", error="no such tool")
    assert failed.json()["data"]["state"] == "failed"
    assert told(site, tenant, version=1, state="applied").status_code == 200
    assert told(site, tenant, version=1, state="failed").status_code == 400
    assert told(site, tenant, version=9, state="applied").status_code == 404
    path = f"{base(tenant)}/configuration/versions"
    (row,) = site.http.get(path, headers=boss).json()["data"]
    assert (row["state"], row["error"]) == ("applied", None)


def test_a_rollout_goes_in_steps_and_halts_by_itself(
    site: Site, boss: dict[str, str]
) -> None:
    canaries = [site.tenant(cohort="canary") for _ in range(4)]
    general = site.tenant()
    path = "/api/v1/admin/rollouts"
    said = {"cohort": "canary", "change": {"autonomyLevel": 1}, "note": "careful"}
    made = site.http.post(path, headers=boss, json=said).json()["data"]
    one = f"{path}/{made['id']}"
    first = site.http.post(f"{one}/advance", headers=boss, json={"percent": 25})
    assert first.json()["data"]["progress"] == {"staged": 1}
    (chosen,) = (t for t in canaries if fetched(site, t)["version"] == 1)
    told(site, chosen, version=1, state="failed", error="cannot")
    halted = site.http.get(one, headers=boss).json()["data"]
    assert (halted["state"], halted["progress"]) == ("halted", {"failed": 1})
    refused = site.http.post(f"{one}/advance", headers=boss, json={"percent": 100})
    assert refused.status_code == 409
    site.http.post(f"{one}/continue", headers=boss)
    rest = site.http.post(f"{one}/advance", headers=boss, json={"percent": 100})
    assert rest.json()["data"]["state"] == "finished"
    assert [fetched(site, t)["version"] for t in canaries] == [1] * 4
    assert fetched(site, general)["version"] == 0
    (listed,) = site.http.get(path, headers=boss).json()["data"]
    assert listed["progress"] == {"failed": 1, "staged": 3}


def test_a_rollout_that_fits_nobody_is_refused(
    site: Site, boss: dict[str, str]
) -> None:
    said = {"cohort": "canary", "change": {"autonomyLevel": 9}, "note": "x"}
    answer = site.http.post("/api/v1/admin/rollouts", headers=boss, json=said)
    assert answer.status_code == 400


json_values = st.recursive(
    st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.text(max_size=2), inner, max_size=3)
    ),
    max_leaves=8,
)
documents = st.dictionaries(st.text(max_size=2), json_values, max_size=4)


@given(documents, documents)
def test_a_difference_makes_one_of_the_other(
    old: dict[str, Any], new: dict[str, Any]
) -> None:
    assert merged(old, difference(old, new)) == new
    assert difference(new, new) == {}


def test_a_plugin_set_that_waits_for_a_restart_is_not_applied_yet(
    site: Site, tenant: Tenant, boss: dict[str, str]
) -> None:
    made(site, tenant, boss)
    path = f"{base(tenant)}/configuration/versions"

    def version() -> Any:
        return site.http.get(path, headers=boss).json()["data"][0]

    before = version()["state"]
    assert told(site, tenant, version=1, state="restart").json()["data"] == {
        "version": 1,
        "state": before,
    }
    assert version()["state"] == before != "applied"
    assert "started again" in version()["error"]
    told(site, tenant, version=1, state="applied")
    assert (version()["state"], version()["error"]) == ("applied", None)
    assert told(site, tenant, version=9, state="restart").status_code == 404
