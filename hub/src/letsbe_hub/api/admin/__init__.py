"""For staff, by their sessions and permissions."""

from letsbe_hub.api import account, deciding
from letsbe_hub.api.admin import (
    billing,
    configuration,
    people,
    rollouts,
    tenants,
    usage,
)
from letsbe_hub.api.principals import Audience

ENDPOINTS = (
    *tenants.ENDPOINTS,
    *configuration.endpoints(Audience.ADMIN),
    *rollouts.ENDPOINTS,
    *usage.endpoints(Audience.ADMIN),
    *deciding.endpoints(Audience.ADMIN),
    *billing.ENDPOINTS,
    *people.ENDPOINTS,
    *account.endpoints(Audience.ADMIN),
)
