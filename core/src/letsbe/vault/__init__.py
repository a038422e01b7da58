"""The encrypted secrets, the references to them and who may use them."""
