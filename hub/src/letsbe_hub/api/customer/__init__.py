"""For tenants' owners, by their sessions: what is theirs of what staff see."""

from letsbe_hub.api import account, billing, deciding
from letsbe_hub.api.admin import configuration, usage
from letsbe_hub.api.principals import Audience

ENDPOINTS = (
    *configuration.endpoints(Audience.CUSTOMER),
    *usage.endpoints(Audience.CUSTOMER),
    *deciding.endpoints(Audience.CUSTOMER),
    *billing.endpoints(Audience.CUSTOMER),
    *account.endpoints(Audience.CUSTOMER),
)
