"""The agent runtime, OpenClaw: how it is configured, and what is checked of it."""
