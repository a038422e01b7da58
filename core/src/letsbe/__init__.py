"""LetsBe: the layer that lets an AI agent run a server without doing harm.

Plugin authors import :mod:`letsbe.plugin` and :mod:`letsbe.testing`; everything
else here is private to the product.
"""

__version__ = "0.1.0"
