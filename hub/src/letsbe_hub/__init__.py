"""The Hub: one control plane for all tenants."""
