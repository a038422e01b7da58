"""What a provider says about the tokens of one request, in one form for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass
from decimal import Decimal
from typing import Any

MOST = 10**12
"""A count above this is none."""

_GENERATED = ("tokens_prompt", "tokens_completion")

BYTES_PER_TOKEN = 4
"""The usual estimate for English text and JSON."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens and cost of one request, or of several added up.

    Args:
        input_tokens: Tokens sent, cached ones included.
        output_tokens: Tokens received, those of reasoning included.
        cached_tokens: Of the tokens sent, those read from the provider's cache.
        reasoning_tokens: Of the tokens received, those of reasoning.
        cost_micros: What it cost, in millionths of the provider's currency, where the
            provider says so (OpenRouter: US dollars).
        requests: How many requests.
        estimated_requests: Of these, how many whose tokens are an estimate.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    cost_micros: int = 0
    requests: int = 1
    estimated_requests: int = 0


NOTHING = Usage(requests=0)
"""What nobody used."""


def difference(new: Usage, old: Usage) -> Usage:
    """Return what must be added to one usage to get another."""
    pairs = zip(astuple(new), astuple(old), strict=True)
    return Usage(*(after - before for after, before in pairs))


def estimated(sent_bytes: int, output_tokens: int) -> Usage:
    """Make the usage of a request about which its provider said nothing."""
    return Usage(
        input_tokens=sent_bytes // BYTES_PER_TOKEN,
        output_tokens=output_tokens,
        estimated_requests=1,
    )


def usage_from(said: Mapping[str, Any]) -> Usage:
    """Read a provider's ``usage`` object.

    Args:
        said: The object of OpenAI's chat completions or responses, of Anthropic's
            messages, or of a provider that follows one of them.
    """
    if "prompt_tokens" in said or "completion_tokens" in said:
        sent, received = _part(said, "prompt"), _part(said, "completion")
        # DeepSeek has the first, outside of the details.
        outside = _count(said, "prompt_cache_hit_tokens")
        inputs = _count(said, "prompt_tokens")
        outputs = _count(said, "completion_tokens")
        cached = _count(sent, "cached_tokens") or outside
    else:
        sent, received = _part(said, "input"), _part(said, "output")
        read = _count(said, "cache_read_input_tokens")
        # Anthropic counts only what is neither read from its cache nor written to it.
        written = _count(said, "cache_creation_input_tokens")
        inputs = _count(said, "input_tokens") + read + written
        outputs = _count(said, "output_tokens")
        cached = _count(sent, "cached_tokens") or read
    return Usage(
        input_tokens=inputs,
        output_tokens=outputs,
        cached_tokens=min(cached, inputs),
        reasoning_tokens=min(_count(received, "reasoning_tokens"), outputs),
        cost_micros=_micros(said.get("cost")),
    )


def generation_usage(data: Mapping[str, Any]) -> Usage | None:
    """Read what OpenRouter tells of a generation (``GET /api/v1/generation``).

    Args:
        data: The object ``data`` of its answer.

    Returns:
        The usage; None as long as the tokens are not known.
    """
    if not any(type(data.get(name)) is int for name in _GENERATED):
        return None
    # By the model's own tokenizer, as it is billed; else by a common one.
    inputs, outputs = (
        _count(data, f"native_{name}") or _count(data, name) for name in _GENERATED
    )
    return Usage(
        input_tokens=inputs,
        output_tokens=outputs,
        cached_tokens=min(_count(data, "native_tokens_cached"), inputs),
        reasoning_tokens=min(_count(data, "native_tokens_reasoning"), outputs),
        cost_micros=_micros(data.get("total_cost")),
    )


def _part(said: Mapping[str, Any], side: str) -> Mapping[str, Any]:
    details = said.get(f"{side}_tokens_details")
    return details if isinstance(details, dict) else {}


def _count(said: Mapping[str, Any], name: str) -> int:
    value = said.get(name)
    # A boolean is an integer to Python, and no count.
    if type(value) is not int or not 0 <= value <= MOST:
        return 0
    return value


def _micros(cost: object) -> int:
    if type(cost) is int:
        cost = Decimal(cost)
    # NaN and Infinity are numbers to Python's JSON, and no cost.
    if not isinstance(cost, Decimal) or not cost.is_finite():
        return 0
    if not 0 <= cost <= MOST:
        return 0
    return int((cost * 1_000_000).to_integral_value())
