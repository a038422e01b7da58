"""Where an outgoing request may go: only to public addresses, checked once.

A URL from a model, a tool or a tenant is read strictly, its name is looked up once,
and every answer must be a public address. Importing this room costs little; the httpx
transport that keeps to it is in :mod:`letsbe.policy.network.transport`.
"""

from letsbe.policy.network.judgement import (
    CLOSED_PORTS,
    Resolve,
    UrlVerdict,
    is_allowed_url,
    judge_origin,
    judge_url,
)
from letsbe.policy.network.redirects import MAX_REDIRECTS, judge_redirects
from letsbe.policy.network.urls import Origin, Target, UrlFault, parse_url

__all__ = [
    "CLOSED_PORTS",
    "MAX_REDIRECTS",
    "Origin",
    "Resolve",
    "Target",
    "UrlFault",
    "UrlVerdict",
    "is_allowed_url",
    "judge_origin",
    "judge_redirects",
    "judge_url",
    "parse_url",
]
