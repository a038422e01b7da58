"""Running programs without a shell: started, bounded, captured, and all of it ended."""

from letsbe.execution.captures import MARGIN, captured_output
from letsbe.execution.environment import clean_environment, find_program
from letsbe.execution.lines import LineRun, LineWork
from letsbe.execution.processes import NotStarted, Program, Target
from letsbe.execution.running import Captured, Run
from letsbe.execution.threads import ProgramThreads

__all__ = [
    "MARGIN",
    "Captured",
    "LineRun",
    "LineWork",
    "NotStarted",
    "Program",
    "ProgramThreads",
    "Run",
    "Target",
    "captured_output",
    "clean_environment",
    "find_program",
]
