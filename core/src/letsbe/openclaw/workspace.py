"""Each agent's SOUL.md and AGENTS.md: made from templates, measured and bounded.

OpenClaw puts both in front of every conversation, so each token of them is paid for at
every step; and skills are hidden while its own ``read`` is off, so what an agent must
know to work stands here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from string import Template

from letsbe.errors import ConfigurationError
from letsbe.home import Home
from letsbe.openclaw.roles import RoleTexts, roles, template
from letsbe.openclaw.settings import FILE_LIMIT, Places
from letsbe.openclaw.tenant import AgentProfile, Tenant
from letsbe.openclaw.writing import read_private
from letsbe.policy.autonomy import AgentPolicy
from letsbe.tools.skill import ways
from letsbe.wrapper.agents import AgentPolicies
from letsbe.wrapper.chat.handover import ASK

TOKEN_BYTES = 4
"""Bytes a token, as the Secrets Proxy estimates; European texts have about as many."""

SOUL_TOKENS = 1_200
"""The most that SOUL.md may take."""

AGENTS_TOKENS = 2_500
"""The most that AGENTS.md may take, with the cheat sheets in it."""

WORKSPACE_FILES = ("SOUL.md", "AGENTS.md", "IDENTITY.md")
"""The files of ours that OpenClaw puts before a conversation."""

_ASK = (
    f"Give one of them a task with `{ASK}`, with all it has to know: it does not see"
    " your conversation."
)

OWN_LINES = "<!-- What stands below this line is yours and stays. -->"
"""Above it everything is made anew each time; below it nothing is touched."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """One agent's files.

    Args:
        agent_id: The agent.
        folder: Where the files go.
        soul: SOUL.md.
        agents: AGENTS.md.
        identity: IDENTITY.md, which OpenClaw would call missing otherwise.
        left_out: The tools whose cheat sheets had no room.
    """

    agent_id: str
    folder: Path
    soul: str
    agents: str
    identity: str
    left_out: tuple[str, ...]

    def files(self) -> Iterator[tuple[Path, str]]:
        """Yield each file's path and text."""
        yield self.folder / "SOUL.md", self.soul
        yield self.folder / "AGENTS.md", self.agents
        yield self.folder / "IDENTITY.md", self.identity

    @property
    def tokens(self) -> dict[str, int]:
        """The size of each file, in tokens as they are estimated."""
        return {path.name: tokens(text) for path, text in self.files()}


def tokens(text: str) -> int:
    """Estimate how many tokens a text is."""
    return -(-len(text.encode("utf-8")) // TOKEN_BYTES)


def workspaces(home: Home, tenant: Tenant, places: Places) -> tuple[Workspace, ...]:
    """Make the files of every agent.

    Args:
        home: The home folder, whose cheat sheets and tool scopes are used.
        tenant: The tenant's document.
        places: Where the files go, and where lines that a person added are kept.

    Raises:
        ConfigurationError: A file would be too long; the text says which and by what.
    """
    sheets, scopes = read_sheets(home), scopes_of(home, tenant)
    made = []
    for agent in tenant.agents:
        scope = scopes[agent.agent_id]
        mine = {name: text for name, text in sheets.items() if _of(name, scope)}
        made.append(_workspace(tenant, agent, places, scope, mine))
    return tuple(made)


def scopes_of(home: Home, tenant: Tenant) -> dict[str, tuple[str, ...]]:
    """Return the tools that each agent may use: its own scope, else its role's."""
    policies = AgentPolicies(home.agents)
    own = {a.agent_id: policies.get(a.agent_id).tools for a in tenant.agents}
    return {
        agent.agent_id: tools if tools is not None else roles()[agent.role].tools
        for agent, tools in zip(tenant.agents, own.values(), strict=True)
    }


def _of(tool: str, scope: tuple[str, ...]) -> bool:
    return any(name == "*" or name.partition(".")[0] == tool for name in scope)


def read_sheets(home: Home) -> dict[str, str]:
    """Read the tools' cheat sheets, by the tool's name; there need not be any.

    Raises:
        ConfigurationError: One cannot be read as text.
    """
    if not home.cheat_sheets.is_dir():
        return {}
    try:
        return {
            path.stem: path.read_text(encoding="utf-8").strip()
            for path in sorted(home.cheat_sheets.glob("*.md"))
        }
    except (OSError, UnicodeDecodeError):
        message = f"a cheat sheet in {home.cheat_sheets} cannot be read as text"
        instead = "run `letsbe tools generate` again"
        raise ConfigurationError(message, alternative=instead) from None


def _workspace(
    tenant: Tenant,
    agent: AgentProfile,
    places: Places,
    scope: tuple[str, ...],
    sheets: dict[str, str],
) -> Workspace:
    folder = places.workspace(agent.agent_id)
    below = {
        name: _own_lines(places, folder / name) for name in ("SOUL.md", "AGENTS.md")
    }
    soul = _soul(tenant, agent, scope) + _tail(below["SOUL.md"])
    _check_size(agent, "SOUL.md", soul, SOUL_TOKENS)
    rest = Template(template("agents.md")).substitute(
        ways=ways(tenant.business.owner), tools=""
    )
    room = AGENTS_TOKENS - tokens(rest + _tail(below["AGENTS.md"]))
    shown, left_out = _with_room(sheets, room)
    agents = rest.rstrip() + "\n" + shown + _tail(below["AGENTS.md"])
    _check_size(agent, "AGENTS.md", agents, AGENTS_TOKENS)
    identity = f"# {agent.name}\n"
    return Workspace(agent.agent_id, folder, soul, agents, identity, left_out)


def _soul(tenant: Tenant, agent: AgentProfile, scope: tuple[str, ...]) -> str:
    texts = roles()[agent.role]
    business = tenant.business
    words = {
        "business": business.name,
        "domain": business.domain,
        "owner": business.owner,
        "timezone": business.timezone,
    }
    duties = [Template(line).substitute(words) for line in texts.responsibilities]
    duties += [line for line in agent.instructions.splitlines() if line.strip()]
    sections = {
        "name": agent.name,
        "identity": Template(texts.identity).substitute(words),
        "responsibilities": _lines(duties),
        "rules": _lines(Template(line).substitute(words) for line in texts.rules),
        "tools": ", ".join(f"`{name}`" for name in scope) or "none",
        "colleagues": _colleagues(tenant, agent, scope),
        "style": texts.style,
    }
    text = Template(template("soul.md")).substitute(words | sections)
    return text.replace("\n\n\n", "\n\n").replace("\n\n- Your", "\n- Your")


def _lines(texts: Iterable[str]) -> str:
    return "\n".join(f"- {text}" for text in texts)


def _colleagues(tenant: Tenant, agent: AgentProfile, scope: tuple[str, ...]) -> str:
    others = [other for other in tenant.agents if other.agent_id != agent.agent_id]
    if not others:
        return "You work alone."
    lines = [
        f"- {other.name} (`{other.agent_id}`): {_purpose(other, roles()[other.role])}"
        for other in others
    ]
    may_ask = AgentPolicy(tools=scope).may_use(ASK)
    lines.append(_ASK if may_ask else "Say which of them should do what is not yours.")
    return "\n".join(lines)


def _purpose(agent: AgentProfile, texts: RoleTexts) -> str:
    return agent.purpose or texts.purpose


def _with_room(sheets: dict[str, str], room: int) -> tuple[str, tuple[str, ...]]:
    """The sheets that fit, shortest first, and one line for those that do not."""
    shown, left_out = "", []
    for name in sorted(sheets, key=lambda name: (len(sheets[name]), name)):
        section = f"\n## {name}\n\n{_demoted(sheets[name])}\n"
        if tokens(shown + section) <= room:
            shown += section
        else:
            left_out.append(name)
    return shown, tuple(sorted(left_out))


def _demoted(sheet: str) -> str:
    """A sheet below a heading of ours: its own headings go two levels down."""
    return "\n".join(
        f"##{line}" if line.startswith("#") else line for line in sheet.splitlines()
    )


def _tail(own: str) -> str:
    return f"\n{OWN_LINES}\n{own}"


def _own_lines(places: Places, path: Path) -> str:
    _, _, below = (read_private(places.state, path) or "").partition(f"{OWN_LINES}\n")
    return below


def _check_size(agent: AgentProfile, name: str, text: str, limit: int) -> None:
    size = tokens(text)
    if size > limit or len(text) > FILE_LIMIT:
        message = (
            f"{name} of {agent.agent_id} would take {size} tokens, and may take {limit}"
        )
        instead = "shorten the agent's instructions, or what was added at its end"
        raise ConfigurationError(message, alternative=instead)
