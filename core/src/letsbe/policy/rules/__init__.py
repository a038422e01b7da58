"""Rule tables: what each program's words do, as data, and how a line is judged."""

from letsbe.policy.rules._book import EXAMPLE_PLACE, RuleBook
from letsbe.policy.rules._compile import compile_table
from letsbe.policy.rules._expand import EXPANSION_LIMIT, expand
from letsbe.policy.rules._judged import PROGRAM_FOLDERS, JudgedCommand, Match
from letsbe.policy.rules._line import JudgedPipeline, JudgedStage, Judgement
from letsbe.policy.rules._path_effects import path_effects
from letsbe.policy.rules._shared import RuleTables
from letsbe.policy.rules._table import Table, TableError
from letsbe.policy.rules._where import Effect, Where

__all__ = [
    "EXAMPLE_PLACE",
    "EXPANSION_LIMIT",
    "PROGRAM_FOLDERS",
    "Effect",
    "JudgedCommand",
    "JudgedPipeline",
    "JudgedStage",
    "Judgement",
    "Match",
    "RuleBook",
    "RuleTables",
    "Table",
    "TableError",
    "Where",
    "compile_table",
    "expand",
    "path_effects",
]
