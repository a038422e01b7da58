"""The chat relay: people's messages to agents, and what they say, as a stream."""
