"""Rule tables: what each program's words do, as data, and how a line is judged."""

from letsbe.policy.rules._book import EXAMPLE_PLACE, RuleBook
from letsbe.policy.rules._compile import compile_table
from letsbe.policy.rules._expand import EXPANSION_LIMIT, expand
from letsbe.policy.rules._judged import PROGRAM_FOLDERS, JudgedCommand, Match
from letsbe.policy.rules._line import JudgedPipeline, JudgedStage, Judgement
from letsbe.policy.rules._table import Table, TableError
from letsbe.policy.rules._where import Where

__all__ = [
    "EXAMPLE_PLACE",
    "EXPANSION_LIMIT",
    "PROGRAM_FOLDERS",
    "JudgedCommand",
    "JudgedPipeline",
    "JudgedStage",
    "Judgement",
    "Match",
    "RuleBook",
    "Table",
    "TableError",
    "Where",
    "compile_table",
    "expand",
]
