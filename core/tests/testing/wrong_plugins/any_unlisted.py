"""Says nothing of the API, and misspells its hook."""

from letsbe.plugin import hookimpl


@hookimpl
def letsbe_executor(site: object) -> list[object]:
    return []
