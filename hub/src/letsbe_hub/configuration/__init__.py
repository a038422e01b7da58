"""The configuration of agents: versions, differences, delivery."""
