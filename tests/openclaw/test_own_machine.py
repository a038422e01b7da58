"""OpenClaw under the units and packet rules that are generated for it, for real."""

from __future__ import annotations

from typing import Any

import pytest

from tests.openclaw.own_machine.boot import CannotBoot, boot, check
from tests.openclaw.runtime import Runtime

ALLOWED = {"write its state", "start a program of the system"}
"""The controls: without them a probe that cannot do anything would pass."""


@pytest.fixture(scope="module")
def found(runtime: Runtime, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    try:
        check()
    except CannotBoot as reason:
        pytest.skip(str(reason))
    told = boot(tmp_path_factory.mktemp("machine"), runtime)
    assert "error" not in told, told
    return told


@pytest.mark.may_skip("a machine of its own needs root and a kernel that lets it mount")
class TestUnderTheUnits:
    def test_a_turn_goes_through(self, found: dict[str, Any]) -> None:
        assert found["turn"]["answer"]["text"] == "Cake!"
        assert "rhubarb cake" in found["turn"]["result"]

    def test_openclaw_can_do_nothing_else(self, found: dict[str, Any]) -> None:
        done = {name for name, outcome in found["probe"].items() if outcome == "done"}
        assert done == ALLOWED, found["probe"]
        assert len(found["probe"]) == 18

    def test_each_account_reaches_its_ports_alone(self, found: dict[str, Any]) -> None:
        ours = {"gateway", "wrapper", "proxy"}
        reached = {
            account: {name for name, is_open in ports.items() if is_open}
            for account, ports in found["accounts"].items()
        }
        assert reached == {
            "letsbe": {*ours, "database"},
            "letsbe-proxy": {"database"},
            "openclaw": ours,
            "games": {"database"},
        }

    def test_each_service_has_its_account_and_no_rights(
        self, found: dict[str, Any]
    ) -> None:
        for name, service in found["services"].items():
            assert service["account"] == name
            assert service["may gain"] == 0
            assert service["no new privileges"]
        assert found["services"]["openclaw"]["filtered calls"]

    def test_commands_of_agents_do_not_see_openclaws_state(
        self, found: dict[str, Any]
    ) -> None:
        assert found["commands see its state"] is False
