"""The fake is as strict as Stripe's documents: what it takes and what it refuses."""

from typing import Any

import httpx
import pytest

from letsbe_billing_stripe.fake import FakeStripe
from letsbe_billing_stripe.fake.contract import find_route, problems, routes
from letsbe_billing_stripe.fake.forms import read_form
from letsbe_billing_stripe.fake.rules import RULES
from letsbe_billing_stripe.fake.server import KEY
from letsbe_billing_stripe.fake.state import HANDLERS


def wrong(verb: str, path: str, sent: dict[str, Any]) -> list[str]:
    route = find_route(verb, path)
    assert route is not None
    return problems(route, sent)


def post(fake: FakeStripe, path: str, key: str = KEY, **sent: str) -> httpx.Response:
    headers = {"authorization": f"Bearer {key}"}
    if "idempotency" in sent:
        headers["idempotency-key"] = sent.pop("idempotency")
    return httpx.post(fake.url + path, headers=headers, data=sent)


def test_the_sdk_has_hundreds_of_routes_and_each_answered_one_is_among_them() -> None:
    assert len(routes()) > 500
    known = {(route.verb, route.path) for route in routes()}
    assert set(HANDLERS) <= known


def test_every_rule_names_its_page() -> None:
    assert len(RULES) >= 12
    assert {rule.page.split("/")[2] for rule in RULES} == {"docs.stripe.com"}


EVENT = {
    "event_name": "letsbe_overage_units",
    "payload": {"stripe_customer_id": "cus_1", "value": "1"},
}


@pytest.mark.parametrize(
    ("verb", "path", "sent", "told"),
    [
        ("post", "/v1/billing/meter_events", EVENT, ""),
        ("post", "/v1/billing/meter_events", {**EVENT, "valu": "1"}, "valu"),
        ("post", "/v1/billing/meter_events", {"event_name": "x"}, "payload"),
        ("post", "/v1/billing/meter_events", {**EVENT, "timestamp": "x"}, "timestamp"),
        (
            "post",
            "/v1/billing/meters",
            {
                "display_name": "x",
                "event_name": "x",
                "default_aggregation": {"formula": "average"},
            },
            "formula",
        ),
        ("post", "/v1/checkout/sessions", {"mode": "gift"}, "mode"),
        (
            "post",
            "/v1/checkout/sessions",
            {"line_items": [{"price": "p", "amount": "1"}]},
            "amount",
        ),
        ("post", "/v1/customers", {"api_key": "sk_live_x"}, "api_key"),
        ("get", "/v1/subscriptions/sub_1", {"colour": "blue"}, "colour"),
    ],
)
def test_the_form_of_a_request_is_the_sdks(
    verb: str, path: str, sent: dict[str, Any], told: str
) -> None:
    found = wrong(verb, path, sent)
    assert told in "".join(found)
    assert bool(found) is bool(told)


def test_a_form_is_read_as_it_was_meant() -> None:
    form = "a=1&b[c]=2&d[0][e]=3&d[1][e]=4&f[]=5&g[h][i]=6"
    assert read_form(form) == {
        "a": "1",
        "b": {"c": "2"},
        "d": [{"e": "3"}, {"e": "4"}],
        "f": {"": "5"},
        "g": {"h": {"i": "6"}},
    }


def test_a_key_gives_the_first_answer_and_takes_no_other_request(
    fake: FakeStripe,
) -> None:
    first = post(fake, "/v1/customers", email="a@example.com", idempotency="k")
    again = post(fake, "/v1/customers", email="a@example.com", idempotency="k")
    assert first.json() == again.json()
    other = post(fake, "/v1/customers", email="b@example.com", idempotency="k")
    assert other.status_code == 400
    assert other.json()["error"]["type"] == "idempotency_error"
    fake.state.ahead = 90_000
    later = post(fake, "/v1/customers", email="b@example.com", idempotency="k")
    assert later.json()["id"] != first.json()["id"]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"timestamp": "1000000000"}, "window"),
        ({"timestamp": "99999999999"}, "window"),
        ({"payload[value]": "1.5"}, "whole"),
        ({"payload[value]": ""}, "whole"),
        ({"identifier": "x" * 101}, "long"),
    ],
)
def test_meter_events_keep_the_documented_rules(
    fake: FakeStripe, more: dict[str, str], told: str
) -> None:
    sent = {
        "event_name": "letsbe_overage_units",
        "payload[stripe_customer_id]": "cus_1",
        "payload[value]": "1",
    }
    assert post(fake, "/v1/billing/meter_events", **sent).status_code == 200
    refused = post(fake, "/v1/billing/meter_events", **{**sent, **more})
    assert refused.status_code == 400
    assert told in refused.json()["error"]["message"]


def test_a_foreign_key_and_an_unknown_path_are_refused(fake: FakeStripe) -> None:
    assert post(fake, "/v1/customers", key="sk_test_x").status_code == 401
    assert post(fake, "/v1/nothing").status_code == 404
    assert "does not answer" in post(fake, "/v1/refunds").json()["error"]["message"]
