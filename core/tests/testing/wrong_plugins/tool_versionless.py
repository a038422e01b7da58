"""Says nothing of the API, and misspells its hook."""

from letsbe.plugin import hookimpl


@hookimpl
def letsbe_tool_adapter(site: object) -> list[object]:
    return []
