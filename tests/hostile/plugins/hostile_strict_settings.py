"""Checks its settings with pydantic, which quotes what it was given."""

from pydantic import BaseModel

from letsbe.plugin import Site, hookimpl

API_VERSION = (0, 1)
CANARY = "canary-7f3a-not-to-be-seen"


class Server(BaseModel):
    port: int


class Settings(BaseModel):
    server: Server


@hookimpl
def letsbe_executors(site: Site) -> tuple[()]:
    Settings.model_validate({"server": {"port": CANARY}, **site.settings})
    return ()
