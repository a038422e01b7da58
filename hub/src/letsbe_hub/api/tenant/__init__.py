"""For tenants' servers, by their keys."""

from letsbe_hub.api.tenant import (
    approvals,
    configuration,
    contact,
    registration,
    usage,
)

ENDPOINTS = (
    *contact.ENDPOINTS,
    *usage.ENDPOINTS,
    *approvals.ENDPOINTS,
    *configuration.ENDPOINTS,
    *registration.ENDPOINTS,
)
