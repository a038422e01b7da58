"""Approvals: asked by tenants, decided by people, run by tenants."""
