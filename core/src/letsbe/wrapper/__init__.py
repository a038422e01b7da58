"""The Safety Wrapper: every tool call, from HTTP to an audited result."""
