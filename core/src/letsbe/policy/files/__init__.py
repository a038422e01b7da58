"""Files inside the allowed roots: found, read and replaced by descriptor.

A path is walked one component at a time, each opened relative to the one before and
never through a link that the kernel follows on its own. What the walk ends at is held
by descriptor, and that descriptor is used for the read, the temporary file and the
rename: nothing is looked up twice, so nothing can be swapped in between.
"""

from letsbe.policy.files._atomic import (
    Content,
    Replacement,
    append_file,
    replacing,
    write_file,
)
from letsbe.policy.files._confinement import Confinement
from letsbe.policy.files._extent import Extent, measure
from letsbe.policy.files._judging import FileJudge, FileJudgement
from letsbe.policy.files._place import Place, explain

__all__ = [
    "Confinement",
    "Content",
    "Extent",
    "FileJudge",
    "FileJudgement",
    "Place",
    "Replacement",
    "append_file",
    "explain",
    "measure",
    "replacing",
    "write_file",
]
