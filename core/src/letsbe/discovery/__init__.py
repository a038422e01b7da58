"""Which plugins are installed and chosen, by their metadata; none is imported here.

Loading them, and what authors import, is :mod:`letsbe.plugin`.
"""
