"""For tenants' servers, by their keys."""

from letsbe_hub.api.tenant import (
    approvals,
    configuration,
    contact,
    registration,
    usage,
)

# The hot ones first: routes are tried in this order.
ENDPOINTS = (
    *contact.ENDPOINTS,
    *usage.ENDPOINTS,
    *approvals.ENDPOINTS,
    *configuration.ENDPOINTS,
    *registration.ENDPOINTS,
)
