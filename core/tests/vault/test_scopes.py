"""Scopes: a secret goes where it is meant for, and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letsbe.errors import InvalidRequest, SecretOutOfScope
from letsbe.vault.records import SecretRecord
from letsbe.vault.scopes import check_scope, normal_hosts, normal_tools


def record(
    tools: tuple[str, ...] = ("*",), hosts: tuple[str, ...] = ("*",)
) -> SecretRecord:
    return SecretRecord("a", 1, "f", tools=tools, hosts=hosts)


@pytest.mark.parametrize(
    ("pattern", "tool"),
    [
        ("*", "shell"),
        ("shell", "shell"),
        ("nextcloud.*", "nextcloud.list_files"),
        ("nextcloud.list_files", "nextcloud.list_files"),
        ("a.b.*", "a.b.c"),
    ],
)
def test_a_tool_in_scope_passes(pattern: str, tool: str) -> None:
    check_scope(record(tools=("other", pattern)), tool, ())


@pytest.mark.parametrize(
    ("pattern", "tool"),
    [
        ("shell", "shell2"),
        ("shell", "Shell"),
        ("nextcloud.*", "nextcloud"),
        ("nextcloud.*", "nextcloudx.list"),
        ("nextcloud.*", "evil.nextcloud.list"),
        ("nextcloud", "nextcloud.list"),
        ("nextcloud.list", "nextcloud.list_files"),
    ],
)
def test_a_tool_out_of_scope_is_refused(pattern: str, tool: str) -> None:
    with pytest.raises(SecretOutOfScope, match="may not be used by") as caught:
        check_scope(record(tools=(pattern,)), tool, ())
    assert caught.value.alternative is not None
    assert pattern in caught.value.alternative


@pytest.mark.parametrize(
    ("pattern", "host"),
    [
        ("nc.example", "nc.example"),
        ("nc.example", "NC.Example"),
        ("nc.example", "nc.example."),
        ("*.example", "nc.example"),
        ("*.example", "a.b.example"),
        ("127.0.0.1", "127.0.0.1"),
        ("::1", "[::1]"),
    ],
)
def test_a_host_in_scope_passes(pattern: str, host: str) -> None:
    check_scope(record(hosts=(pattern,)), "shell", (host,))


@pytest.mark.parametrize(
    ("pattern", "host"),
    [
        ("nc.example", "nc.example.evil"),
        ("nc.example", "evilnc.example"),
        ("*.example", "example"),
        ("*.example", ".example"),
        ("*.example", "evilexample"),
        ("*.example", "nc.example@evil"),
        ("*.nc.example", "evil/.nc.example"),
        ("*.nc.example", "evil#.nc.example"),
        ("*.nc.example", "evil?.nc.example"),
        ("nc.example", ""),
        ("127.0.0.1", "127.0.0.11"),
    ],
)
def test_a_host_out_of_scope_is_refused(pattern: str, host: str) -> None:
    with pytest.raises(SecretOutOfScope, match="may not be sent"):
        check_scope(record(hosts=(pattern,)), "shell", (host,))


def test_every_host_of_a_call_counts() -> None:
    bound = record(hosts=("nc.example",))
    with pytest.raises(SecretOutOfScope):
        check_scope(bound, "shell", ("nc.example", "evil.example"))


@pytest.mark.parametrize("hosts", [None, ()])
def test_a_bound_secret_goes_nowhere_unknown_and_nowhere_else(
    hosts: tuple[str, ...] | None,
) -> None:
    with pytest.raises(SecretOutOfScope, match="is bound to hosts"):
        check_scope(record(hosts=("nc.example",)), "shell", hosts)
    check_scope(record(), "shell", hosts)


def test_a_secret_for_nothing_goes_nowhere() -> None:
    with pytest.raises(SecretOutOfScope):
        check_scope(record(tools=()), "shell", ())
    with pytest.raises(SecretOutOfScope):
        check_scope(record(hosts=()), "shell", ("h",))


@pytest.mark.parametrize(
    "pattern",
    [
        *("", "**", "*.com.*", "a*b", "http://h", "h:80", "h/", "a..b", ".a", "a b"),
        *("*.", "-a", "a_-", "u@h", "a\n", "é.example", "a,b"),
    ],
)
def test_what_is_no_host_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        normal_hosts(("good.example", pattern))
    assert caught.value.details[0].field == "hosts.1"


@pytest.mark.parametrize("pattern", ["", "**", "*.x", "a.*.b", "a*", "A", "a b", "a."])
def test_what_is_no_tool_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        normal_tools((pattern,))
    assert caught.value.details[0].field == "tools.0"


def test_patterns_are_stored_in_one_form() -> None:
    assert normal_hosts(("B.example.", "a.example", "[::1]", "b.example")) == (
        "::1",
        "a.example",
        "b.example",
    )


labels = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)
hosts = st.lists(labels, min_size=1, max_size=4).map(".".join)


@given(hosts, hosts)
def test_an_exact_host_admits_itself_alone(allowed: str, other: str) -> None:
    bound = record(hosts=normal_hosts((allowed,)))
    check_scope(bound, "t", (allowed.upper(),))
    if other != allowed:
        with pytest.raises(SecretOutOfScope):
            check_scope(bound, "t", (other,))


@given(hosts, labels)
def test_a_domain_admits_what_is_under_it_alone(domain: str, label: str) -> None:
    bound = record(hosts=normal_hosts((f"*.{domain}",)))
    check_scope(bound, "t", (f"{label}.{domain}",))
    for other in (domain, label + domain, f"{domain}.{label}"):
        if not other.endswith(f".{domain}"):
            with pytest.raises(SecretOutOfScope):
                check_scope(bound, "t", (other,))
