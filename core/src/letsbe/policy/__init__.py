"""What a call may do: tiers, commands, paths, autonomy and approvals."""
