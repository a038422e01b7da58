"""What adapters are made of: operations that are declared, and a client that is lent.

An adapter lists its operations as data; each is a plain async function, or a route.
The client that a call is given reaches the tool's registered address and nothing else.
"""
