"""An escalation cannot be hidden: by spelling, order, clusters or what surrounds it."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from letsbe.plugin import Site, Tier, Verdict
from letsbe.testing import make_call
from letsbe_executor_docker.executor import DOCKER, DockerExecutor

EXECUTOR = DockerExecutor(Site(roots=(Path("/srv/work"),)))

HARMLESS = st.sampled_from(
    [
        ["-d"], ["-it"], ["--rm"], ["--name", "ps"], ["--name=web"], ["-e", "A=b"],
        ["-eA=--privileged"], ["-l", "-v=/:/x"], ["--label=--pid=host"], ["-w", "/app"],
        ["-p", "80:80"], ["-p80:80"], ["--cap-drop", "ALL"], ["--restart=always"],
        ["-v", "data:/data"], ["-vdata:/data"], ["--network", "front"], ["-m=1g"],
        ["--mount", "type=tmpfs,dst=/tmp"], ["--pid", "private"], ["-ti"],
        ["-h", "run"],
    ]
)  # fmt: skip
VALUED = {  # flags that take a value, long and short, with values that reach the host
    "--volume": ("v", ["/:/x", "/etc:/e:ro", "/run/docker.sock:/s", "../x:/x", "~:/h"]),
    "--mount": (None, ["type=bind,src=/,dst=/x", "dst=/x,source=/etc,type=bind"]),
    "--network": (None, ["host", "name=host", "HOST"]),
    "--net": (None, ["host"]),
    "--pid": (None, ["host", "container:db"]),
    "--ipc": (None, ["host"]),
    "--uts": (None, ["host"]),
    "--userns": (None, ["host"]),
    "--cgroupns": (None, ["host"]),
    "--device": (None, ["/dev/sda"]),
    "--cap-add": (None, ["ALL", "SYS_ADMIN"]),
    "--security-opt": (None, ["seccomp=unconfined", "label=disable"]),
    "--volumes-from": (None, ["web"]),
    "--gpus": (None, ["all"]),
}


@st.composite
def escalations(draw: st.DrawFn) -> list[str]:
    """Spell one escalation in some way that docker understands."""
    flag = draw(st.sampled_from([*VALUED, "--privileged"]))
    if flag == "--privileged":
        return [draw(st.sampled_from(["--privileged", "--privileged=true"]))]
    letter, values = VALUED[flag]
    value = draw(st.sampled_from(values))
    forms = [[flag, value], [f"{flag}={value}"]]
    if letter:
        cluster = draw(st.sampled_from(["-", "-d", "-it", "-itd"])) + letter
        forms += [[cluster, value], [f"{cluster}={value}"], [f"{cluster}{value}"]]
    return draw(st.sampled_from(forms))


def judged(words: list[str]) -> Verdict:
    return EXECUTOR.classify(make_call(DOCKER, {"argv": words}))


def flat(groups: list[list[str]]) -> list[str]:
    return list(chain.from_iterable(groups))


@given(
    start=st.sampled_from(
        [["docker"], [], ["docker", "-D"], ["docker", "--log-level", "ps"]]
    ),
    subcommand=st.sampled_from(
        [["run"], ["create"], ["container", "run"], ["container", "create"]]
    ),
    before=st.lists(HARMLESS, max_size=4),
    escalation=escalations(),
    after=st.lists(HARMLESS, max_size=4),
)
def test_an_escalation_shows_wherever_it_stands(
    start: list[str],
    subcommand: list[str],
    before: list[list[str]],
    escalation: list[str],
    after: list[list[str]],
) -> None:
    words = [*start, *subcommand, *flat(before), *escalation, *flat(after)]
    assert judged([*words, "alpine"]).tier >= Tier.RED


@given(flags=st.lists(HARMLESS, max_size=6))
def test_what_only_looks_like_an_escalation_is_none(flags: list[list[str]]) -> None:
    words = ["docker", "run", *flat(flags), "alpine"]
    assert judged(words).tier is Tier.YELLOW


@given(
    flags=st.lists(HARMLESS, max_size=3),
    words=st.lists(
        st.sampled_from(["--privileged", "-v", "/:/x", "--pid=host", "x"]), max_size=4
    ),
)
def test_words_after_the_image_are_the_containers(
    flags: list[list[str]], words: list[str]
) -> None:
    verdict = judged(["docker", "run", *flat(flags), "alpine", "-x", *words])
    assert verdict.tier is Tier.YELLOW


@given(
    st.lists(st.text(alphabet="-=:/.,_aehoprstv ", min_size=1, max_size=12), max_size=6)
)
def test_any_words_get_a_verdict(words: list[str]) -> None:
    verdict = judged(["docker", *words])
    assert verdict.plan
    assert isinstance(verdict.tier, Tier)


@given(
    subcommand=st.sampled_from(
        ["ps", "rm web", "run alpine", "compose up", "inspect web", "pull x"]
    ),
    addition=st.sampled_from(
        ["--frob", "-Z", "--help=false", "--no-such=1", "--al", "--privilege"]
    ),
)
def test_what_is_not_in_the_table_is_never_harmless(
    subcommand: str, addition: str
) -> None:
    first, *rest = subcommand.split()
    if first == "compose":
        first, *rest = f"compose {rest[0]}", *rest[1:]
    words = ["docker", *first.split(), addition, *rest]
    assert judged(words).tier >= Tier.RED
