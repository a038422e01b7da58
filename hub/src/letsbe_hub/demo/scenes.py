"""What happens in the demonstration, scene by scene."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from letsbe_hub.configuration import rollouts, versions
from letsbe_hub.demo.processes import DemoFailed, Tenant
from letsbe_hub.demo.stage import Say, Stage, staged, wait_for
from letsbe_hub.tenants.registry import listing
from letsbe_hub.usage.totals import total

USED = (1000, 2000, 3000)
"""The tokens that each tenant uses while the Hub is away."""


def play(folder: Path, say: Say) -> None:
    """Let it all happen.

    Args:
        folder: Empty; everything is kept there.
        say: Prints a line.

    Raises:
        DemoFailed: Something did not happen, or is not as it should be.
    """
    with staged(folder, say) as stage:
        _seen(stage)
        _approved(stage)
        _denied(stage)
        _rollout(stage)
        _outage(stage)
        _billed(stage)
        if stage.broken:
            raise DemoFailed(f"this did not hold: {'; '.join(stage.broken)}")
    say("\nAll of it held, and every process is ended. Next: letsbe-hub up")


def _seen(stage: Stage) -> None:
    stage.scene(1, "Every server is seen.")
    rows = wait_for("heartbeats", lambda: _operational(stage))
    for row in rows:
        stage.tell(row.name, f"{row.status}, wrapper {row.wrapper_version}")


def _operational(stage: Stage) -> list[sa.Row[Any]]:
    rows = stage.store.read(lambda c: list(c.execute(listing())))
    return rows if {row.status for row in rows} == {"operational"} else []


def _approved(stage: Stage) -> None:
    stage.scene(2, "An agent wants to delete; its owner approves at the Hub.")
    bakery = stage.tenants[0]
    token = f"ghp_{secrets.token_hex(18)}"
    answer = bakery.call("shell", command=f"rm -r backup-{token}")
    stage.tell(bakery.name, f"rm -r backup-ghp_...: {answer['status']}")
    stage.tell("", f"{answer['reason']}; {answer['alternative']}")
    folder = bakery.root / "old"
    folder.mkdir()
    (folder / "menu.txt").write_text("soup\n")
    asked, shown = _asks(stage, bakery, "rm -r old")
    told = shown["summary"]
    stage.tell(
        "the Hub", f"shows `{told['plan']['line']}`: {told['preview']['summary']}"
    )
    known = bakery.approval(asked)
    stage.fact(
        "what the Hub shows is what the server will run, by its digest",
        held=shown["digest"] == known["digest"],
    )
    stage.owner(
        "POST", f"approvals/{shown['id']}/approve", json={"reason": "it is old"}
    )
    stage.tell("owner", "approves it")
    wait_for("the outcome", lambda: _state(stage, shown["id"]) == "done")
    stage.fact("the server ran it, and the folder is gone", held=not folder.exists())
    stage.fact("the token reached the Hub", held=_holds(stage, token), wanted=False)


def _denied(stage: Stage) -> None:
    stage.scene(3, "Another is denied, and the agent's server is told why.")
    dentist = stage.tenants[1]
    folder = dentist.root / "patients"
    folder.mkdir()
    asked, shown = _asks(stage, dentist, "rm -r patients")
    said = {"reason": "never delete these"}
    stage.owner("POST", f"approvals/{shown['id']}/deny", json=said)
    stage.tell("owner", f"denies it: {said['reason']}")
    known = wait_for("the denial", lambda: _settled(dentist, asked))
    stage.tell(dentist.name, f"knows: {known['state']}, {known['decision_reason']}")
    stage.fact("the folder is still there", held=folder.exists())
    try:
        stage.owner("POST", f"approvals/{shown['id']}/approve", json={})
    except DemoFailed as error:
        stage.tell("owner", f"cannot decide again: {error.message}")
    else:
        stage.fact("it was decided twice", held=True, wanted=False)


def _asks(stage: Stage, tenant: Tenant, command: str) -> tuple[str, dict[str, Any]]:
    """Let an agent ask for a command; return the approval's ids, and it at the Hub."""
    answer = tenant.call("shell", command=command)
    stage.tell(tenant.name, f"{command}: {answer['status']} ({answer['tier']})")
    path = f"approvals?state=pending&tenantId={tenant.id}"
    (shown,) = wait_for("the approval", lambda: stage.owner("GET", path))
    return answer["approval_id"], shown


def _state(stage: Stage, id_: str) -> str:
    return str(stage.owner("GET", f"approvals/{id_}")["state"])


def _settled(tenant: Tenant, id_: str) -> dict[str, Any] | None:
    known = tenant.approval(id_)
    return known if known["state"] == "denied" else None


def _holds(stage: Stage, text: str) -> bool:
    kept = [*(stage.folder / "hub").iterdir(), stage.folder / "hub.log"]
    return any(text.encode() in file.read_bytes() for file in kept if file.is_file())


def _rollout(stage: Stage) -> None:
    stage.scene(4, "One change for all three, staged and acknowledged.")
    change = {
        "classification": [
            {"tool": "file_write", "tier": "RED", "reason": "a quiet week is asked for"}
        ]
    }

    def begin(connection: sa.Connection) -> str:
        new = rollouts.create(
            connection, "sandbox", change, note="quiet", most_failures=0, actor="cli"
        )
        rollouts.advance(connection, new, 100, "cli")
        return new

    new, store = stage.store.write(begin), stage.store
    applied = {"applied": len(stage.tenants)}
    wait_for(
        "the acknowledgements",
        lambda: store.read(lambda c: dict(rollouts.progress(c, new))) == applied,
    )
    dentist = stage.tenants[1]
    patch = store.read(lambda c: versions.between(c, dentist.id, 0, 1))
    stage.tell("the Hub", f"staged {json.dumps(patch)}")
    answer = dentist.call("file_write", path="note.txt", content="x")
    stage.tell(dentist.name, f"file_write: {answer['status']} ({answer['tier']})")
    held = answer["status"] == "pending_approval"
    stage.fact("what ran by itself now asks first", held=held)


def _outage(stage: Stage) -> None:
    stage.scene(5, "The Hub dies; the servers go on; nothing is lost.")
    stage.hub.kill()
    for tenant, tokens in zip(stage.tenants, USED, strict=True):
        tenant.use(tokens)
        stage.tell(tenant.name, f"uses {tokens:,} tokens")
    garage = stage.tenants[2]
    answer = garage.call("file_list", path=".")
    stage.tell(garage.name, f"lists files without the Hub: {answer['status']}")
    stage.hub.start()

    def sums() -> list[int]:
        return [
            stage.store.read(lambda c, t=each: total(c, t.id, 0, 1e11)).input_tokens  # type: ignore[misc] # mypy does not infer the default's type
            for each in stage.tenants
        ]

    wait_for("the usage", lambda: sums() == list(USED))
    stage.tell("the Hub", f"is back, and knows of {sum(sums()):,} tokens")
    stage.fact("everything was counted once", held=sums() == list(USED))


def _billed(stage: Stage) -> None:
    stage.scene(6, "The owner looks at the bill.")
    for tenant, tokens in zip(stage.tenants, USED, strict=True):
        path = f"tenants/{tenant.id}/billing"
        period = stage.owner("GET", path)["period"]
        said = stage.owner("GET", f"{path}/periods/{period['id']}/statement")
        used, pool = period["usedTokens"], period["poolTokens"]
        stage.tell(tenant.name, f"{used:,} of {pool:,} tokens")
        held = said["consistent"] and said["document"]["used_tokens"] == used == tokens
        stage.fact("its statement, made from the buckets, says so too", held=held)
