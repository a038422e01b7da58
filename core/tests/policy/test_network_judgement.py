"""Judging a URL: one look-up, all answers, and what the tenant owns."""

import subprocess
import sys
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letsbe.policy.network import (
    CLOSED_PORTS,
    Origin,
    is_allowed_url,
    judge_redirects,
    judge_url,
)

PUBLIC = "93.184.216.34"


class Names:
    """A resolver that counts, and that answers differently each time if told to."""

    def __init__(self, *rounds: Sequence[str]) -> None:
        self.rounds = rounds
        self.asked: list[str] = []

    def __call__(self, host: str) -> Sequence[str]:
        self.asked.append(host)
        return self.rounds[min(len(self.asked), len(self.rounds)) - 1]


def test_a_name_is_looked_up_once_in_ascii_without_its_final_dot() -> None:
    names = Names([PUBLIC], ["127.0.0.1"])

    verdict = judge_url("https://BÜCHER.example.:8443/a?b#c", names)

    assert verdict.allowed
    assert verdict.addresses == (PUBLIC,)
    assert names.asked == ["xn--bcher-kva.example"]


@pytest.mark.parametrize("url", ["http://8.8.8.8/", "http://[2606:4700::1111]/"])
def test_an_address_is_not_looked_up(url: str) -> None:
    names = Names(["127.0.0.1"])

    assert is_allowed_url(url, names)
    assert names.asked == []


@pytest.mark.parametrize(
    ("answers", "rule"),
    [
        ([], "resolve.empty"),
        ([PUBLIC, "10.0.0.1"], "address.private"),
        (["10.0.0.1", PUBLIC], "address.private"),
        (["169.254.169.254"], "address.link_local"),
        (["2606:4700::1111", "::ffff:127.0.0.1"], "address.loopback"),
        (["fe80::1%eth0"], "resolve.answer"),
        ([PUBLIC, "not an address"], "resolve.answer"),
        ([PUBLIC, None], "resolve.answer"),
        (PUBLIC, "resolve.answer"),
        (None, "resolve.failed"),
    ],
)
def test_every_answer_must_be_a_public_address(
    answers: Sequence[str], rule: str
) -> None:
    verdict = judge_url("http://name.example/", Names(answers))

    assert (verdict.allowed, verdict.rule) == (False, rule)
    assert verdict.addresses == ()


def test_equal_answers_are_connected_to_once_in_the_resolvers_order() -> None:
    names = Names(["2606:4700::1111", PUBLIC, "2606:4700::1111", f"::ffff:{PUBLIC}"])

    verdict = judge_url("http://name.example/", names)

    assert verdict.addresses == ("2606:4700::1111", PUBLIC)


@pytest.mark.parametrize("error", [OSError, UnicodeError, KeyError, RuntimeError])
def test_a_resolver_that_raises_means_no(error: type[Exception]) -> None:
    def broken(host: str) -> Sequence[str]:
        raise error(f"canary {host}")

    verdict = judge_url("http://name.example/", broken)

    assert not is_allowed_url("http://name.example/", broken)
    assert "canary" not in verdict.reason


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST.", "a.localhost", "localhost.localdomain", "localhost6"],
)
def test_names_of_this_machine_are_refused_unasked(host: str) -> None:
    names = Names([PUBLIC])

    assert judge_url(f"http://{host}/", names).rule == "host.localhost"
    assert names.asked == []


@pytest.mark.parametrize("host", ["localhost.example.com", "notlocalhost", "nas.local"])
def test_other_names_are_for_the_resolver_to_say(host: str) -> None:
    assert is_allowed_url(f"http://{host}/", Names([PUBLIC]))
    assert not is_allowed_url(f"http://{host}/", Names(["192.168.1.1"]))


@given(st.text(), st.lists(st.text()))
def test_no_text_and_no_answer_raises(text: str, answers: list[str]) -> None:
    assert is_allowed_url(text, Names(answers)) in {True, False}
    assert is_allowed_url(f"http://{text}", Names(answers)) in {True, False}


@given(st.text(alphabet="canary0123456789.:@/\\%[]", max_size=30))
def test_a_reason_never_repeats_the_url(text: str) -> None:
    secret = "hunter2-canary"

    for url in (
        f"http://{secret}{text}",
        f"{secret}://{text}",
        f"http://{text}{secret}",
    ):
        assert secret not in judge_url(url, Names([])).reason


OWN = [Origin("127.0.0.1", 9000), Origin("portainer", 9443), Origin("localhost", 9001)]


@pytest.mark.parametrize(
    ("url", "answers", "allowed"),
    [
        ("http://127.0.0.1:9000/api", [], True),
        ("http://[::ffff:127.0.0.1]:9000/api", [], True),
        ("http://127.0.0.1:9001/", [], False),
        ("http://127.0.0.2:9000/", [], False),
        ("http://localhost:9001/", ["127.0.0.1", "::1"], True),
        ("http://localhost:9000/", ["127.0.0.1"], False),
        ("https://portainer:9443/", ["172.18.0.5"], True),
        ("https://portainer:9443/", ["fd00::5", "100.64.0.7"], True),
        ("https://portainer:9443/", [PUBLIC], True),
        ("https://portainer:9443/", ["169.254.169.254"], False),
        ("https://portainer:9443/", ["0.0.0.0"], False),
        ("https://portainer:9443/", ["172.18.0.5", "224.0.0.1"], False),
        ("https://portainer/", ["172.18.0.5"], False),
        ("https://other:9443/", ["172.18.0.5"], False),
    ],
)
def test_an_allowed_origin_opens_its_own_host_and_port_only(
    url: str, answers: list[str], allowed: bool
) -> None:
    assert judge_url(url, Names(answers), allowed=OWN).allowed is allowed


@pytest.mark.parametrize("port", sorted(CLOSED_PORTS))
def test_the_products_own_ports_stay_closed_even_if_allowed(port: int) -> None:
    own = [Origin("127.0.0.1", port), Origin("tool", port)]

    for url in (f"http://127.0.0.1:{port}/", f"http://tool:{port}/"):
        verdict = judge_url(url, Names(["10.0.0.1"]), allowed=own)
        assert (verdict.allowed, verdict.rule) == (False, "port.closed")


def test_other_ports_can_be_closed_instead() -> None:
    own = [Origin("127.0.0.1", 18200)]

    verdict = judge_url(
        "http://127.0.0.1:18200/", Names(), allowed=own, closed_ports={18200}
    )

    assert verdict.rule == "port.closed"


@pytest.mark.parametrize(
    ("urls", "rule"),
    [
        (["https://a.example/x"], "public"),
        (["http://a.example/", "https://a.example/"], "public"),
        (["https://a.example/x/", "../y", "?q=1", "//b.example/"], "public"),
        (["https://a.example/", "http://a.example/"], "redirect.downgrade"),
        (["https://a.example/", "http://127.0.0.1/"], "redirect.downgrade"),
        (["https://a.example/", "https://127.0.0.1/"], "address.loopback"),
        (["http://a.example/", "//10.0.0.1/"], "address.private"),
        (["http://a.example/", "file:///etc/passwd"], "url.scheme"),
        (["http://a.example/", "http://u@b.example/"], "url.userinfo"),
        (["http://a.example/", "/\\10.0.0.1/"], "redirect.location"),
        (["http://a.example/", "/\t/10.0.0.1/"], "redirect.location"),
        (["http://a.example/", "//[::1/"], "redirect.location"),
        (["http://a.example/"] * 11, "public"),
        (["http://a.example/"] * 12, "redirect.limit"),
        ([], "url.scheme"),
    ],
)
def test_every_redirect_is_judged_like_a_new_url(urls: list[str], rule: str) -> None:
    verdict = judge_redirects(urls, Names([PUBLIC]))

    assert verdict.rule == rule
    assert verdict.allowed is (rule == "public")


def test_judging_imports_neither_httpx_nor_idna() -> None:
    code = (
        "import sys; from letsbe.policy.network import is_allowed_url;"
        "assert is_allowed_url('http://a.example/', lambda name: ['8.8.8.8']);"
        "print({'httpx', 'httpcore', 'idna', 'anyio', 'pydantic'} & set(sys.modules))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert run.stdout == "set()\n"
