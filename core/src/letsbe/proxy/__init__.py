"""The Secrets Proxy: LLM calls go through it, and secrets are taken out of them."""
