"""The tenant's half of the Hub: registration, heartbeat, configuration, outboxes."""
