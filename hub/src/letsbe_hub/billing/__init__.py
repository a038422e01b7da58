"""Billing: periods, pools, alerts, charges, statements, and the plugins that bill."""
