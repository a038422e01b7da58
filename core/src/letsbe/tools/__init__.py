"""The tenant's tools: found in the provisioner's files, checked, and told to agents."""
