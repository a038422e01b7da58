"""Tenants: their registration, keys, servers and status."""
