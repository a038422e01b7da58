"""People: staff and customers, how they prove who they are, and what they may do."""
