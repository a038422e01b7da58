from __future__ import annotations

import re
from typing import Any

import pytest

from letsbe.openclaw.roles import DEFAULT_ROLES, roles
from letsbe.openclaw.workspace import AGENTS_TOKENS, OWN_LINES, SOUL_TOKENS, tokens

SECTIONS = [
    "Identity",
    "Context",
    "Responsibilities",
    "Rules",
    "Working With Tools",
    "Working With Other Agents",
    "Communication Style",
]


def sheet(business: Any, tool: str, text: str) -> None:
    business.home.cheat_sheets.mkdir(exist_ok=True)
    (business.home.cheat_sheets / f"{tool}.md").write_text(text, encoding="utf-8")


@pytest.mark.parametrize("agent", DEFAULT_ROLES)
def test_a_soul_has_its_sections_in_order_and_nothing_unfilled(
    business: Any, agent: str
) -> None:
    business.configure("--yes")
    soul = business.workspace(agent, "SOUL.md").read_text(encoding="utf-8")
    assert soul.startswith(f"# {roles()[agent].name} of Café Möwe\n")
    assert re.findall(r"^## (.+)$", soul, re.MULTILINE) == SECTIONS
    for fact in ("Ada Berg", "moewe.example", "Europe/Berlin", "tool-registry.json"):
        assert fact in soul
    assert "$" not in soul
    assert tokens(soul) <= SOUL_TOKENS


def test_every_agent_knows_the_others_and_not_itself(business: Any) -> None:
    business.run("openclaw", "agent", "add", "books", "--name", "Books")
    business.configure("--yes")
    soul = business.workspace("sales", "SOUL.md").read_text(encoding="utf-8")
    others = soul.partition("## Working With Other Agents")[2]
    assert "`books`" in others
    assert "`sales`" not in others


def test_an_agent_is_told_its_scope(business: Any) -> None:
    business.configure("--yes")
    business.run("agents", "scope", "sales", "file_read", "odoo.*")
    business.configure("--yes")
    soul = business.workspace("sales", "SOUL.md").read_text(encoding="utf-8")
    assert "Your tools: `file_read`, `odoo.*`." in soul


def test_a_custom_agent_has_its_own_instructions(business: Any, tmp_path: Any) -> None:
    text = tmp_path / "books.txt"
    text.write_text("Enter every invoice of $owner.\nAsk when a sum differs.\n")
    options = ["--name", "Books", "--instructions", str(text)]
    business.run("openclaw", "agent", "add", "books", *options)
    business.configure("--yes")
    soul = business.workspace("books", "SOUL.md").read_text(encoding="utf-8")
    # A person's text is no template: what looks like a variable stays.
    assert "- Enter every invoice of $owner.\n- Ask when a sum differs.\n" in soul


def test_the_access_patterns_and_the_sheets_of_its_tools_reach_an_agent(
    business: Any,
) -> None:
    sheet(business, "nextcloud", "# Nextcloud\n\nUse `nextcloud.list_files`.")
    sheet(business, "ghost", "# Ghost\n\nUse `ghost.list_posts`.")
    business.configure("--yes")
    marketing = business.workspace("marketing", "AGENTS.md").read_text("utf-8")
    for word in ("1. API", "2. CLI", "3. Browser", "SECRET_REF(name)", "env_refs"):
        assert word in marketing
    assert "## nextcloud\n\n### Nextcloud" in marketing
    assert "`ghost.list_posts`" in marketing
    secretary = business.workspace("secretary", "AGENTS.md").read_text("utf-8")
    assert "nextcloud.list_files" in secretary
    assert "ghost" not in secretary


def test_sheets_without_room_are_left_out_and_reported(business: Any) -> None:
    sheet(business, "nextcloud", "# Nextcloud\n\nshort")
    sheet(business, "ghost", "# Ghost\n\n" + "long " * AGENTS_TOKENS)
    printed = business.configure("--yes")
    agents = business.workspace("marketing", "AGENTS.md").read_text("utf-8")
    assert "## nextcloud" in agents
    assert "long long" not in agents
    assert tokens(agents) <= AGENTS_TOKENS
    row = next(line for line in printed.splitlines() if line.startswith("marketing\t"))
    assert row.split("\t")[3] == "ghost"


def test_lines_that_a_person_added_stay(business: Any) -> None:
    business.configure("--yes")
    file = business.workspace("sales", "AGENTS.md")
    file.write_text(file.read_text("utf-8") + "We say Moin.\n", encoding="utf-8")
    assert "nothing to change" in business.configure()
    business.run("openclaw", "tenant", "--owner", "Bo Berg")
    business.configure("--yes")
    text = file.read_text("utf-8")
    assert "Bo Berg" in text
    assert text.endswith(f"{OWN_LINES}\nWe say Moin.\n")


def test_what_is_changed_above_the_line_is_made_anew(business: Any) -> None:
    business.configure("--yes")
    file = business.workspace("sales", "SOUL.md")
    before = file.read_text("utf-8")
    file.write_text(before.replace("Promise no price", "Promise any price"), "utf-8")
    assert "-- Promise any price" in business.configure("--yes")
    assert file.read_text("utf-8") == before


def test_a_file_that_would_cost_too_much_is_refused(business: Any) -> None:
    business.configure("--yes")
    file = business.workspace("sales", "SOUL.md")
    file.write_text(file.read_text("utf-8") + "word " * 1200, encoding="utf-8")
    printed = business.configure("--yes", code=1)
    assert "SOUL.md of sales would take" in printed
    assert f"may take {SOUL_TOKENS}" in printed
