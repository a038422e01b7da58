"""How much harm an SQL text can do, told from its statements' first words.

A server cannot be asked without running it, so what is not known to read is taken for
a change. Backslash commands are psql's, dot commands sqlite3's.
"""

from __future__ import annotations

import re

from letsbe.policy.rules._sql_functions import HARMLESS_CALLS
from letsbe.policy.tiers import Tier

_NOISE = re.compile(
    r"'(?:[^'\\]|''|\\.)*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|--[^\n]*|\#[^\n]*"
    r"|/\*(?!!).*?\*/|\$(\w*)\$.*?\$\1\$",
    re.DOTALL,
)
_FIRST = re.compile(r"\s*\(*\s*([A-Za-z]+)")
_READS = frozenset(
    {"select", "show", "explain", "describe", "desc", "values", "table", "with"}
    | {"pragma", "check", "use"}
)
_CHANGES = re.compile(
    r"insert|update|replace|merge|create|comment|begin|commit|rollback|start|end"
    r"|savepoint|release|lock|unlock|refresh|reindex|vacuum|optimize|notify|listen"
    r"|unlisten|analyze|set|upsert|discard|deallocate|prepare|cluster|checkpoint"
)
_WRITING_WORDS = re.compile(
    r"\b(insert|update|merge|into|create|replace|nextval|setval|set_config)\b",
    re.IGNORECASE,
)
_DESTROYING_WORDS = re.compile(
    r"\b(delete|drop|truncate|alter|grant|revoke|outfile|dumpfile|program|load_file"
    r"|load_extension|load|lo_\w+|pg_read\w*|pg_write\w*|pg_ls\w*|pg_file\w*|dblink\w*"
    r"|pg_terminate\w*|pg_cancel\w*|pg_reload\w*|pg_rotate\w*|pg_promote|sys_exec"
    r"|sys_eval|xp_\w+|query_to_xml|edit|readfile|writefile|fts3_tokenizer|copy|attach"
    r"|execute|call|do|handler)\b"
    r"|/\*!",
    re.IGNORECASE,
)
_SECRET_TABLES = re.compile(
    r"\b(pg_shadow|pg_authid|mysql\.user|authentication_string|rolpassword)\b",
    re.IGNORECASE,
)
# A function that is not known may be anyone's, and so may do anything.
_CALL = re.compile(r"([\w.]+|''|\"\")\s*\(")
# SQLite's pragmas that show something, with or without a name in parentheses.
_PRAGMA_READS = re.compile(
    r"pragma\s+(\w+\.)?(table_x?info|table_list|index_x?info|index_list|database_list"
    r"|foreign_key_(list|check)|collation_list|function_list|module_list|pragma_list"
    r"|compile_options|integrity_check|quick_check)\s*(\(.*\))?\s*"
    r"|pragma\s+(\w+\.)?(user_version|schema_version|application_id|page_(size|count)"
    r"|freelist_count|encoding|journal_mode|foreign_keys|synchronous|cache_size"
    r"|auto_vacuum|busy_timeout|data_version|locking_mode|temp_store|mmap_size)\s*",
    re.IGNORECASE,
)
_PSQL_READS = re.compile(
    r"\\(d[A-Za-z+]*|l\+?|list|z|conninfo|encoding|x|timing|pset|t|a|q|echo)(\s|$)"
)
_SQLITE_READS = re.compile(
    r"\.(tables|schema|databases|indexes|indices|headers?|mode|width|nullvalue|show|help"
    r"|stats|timer|dbinfo|fullschema|separator|quit|exit|print|echo)(\s|$)"
)


def sql_tier(text: str) -> Tier:
    """Judge an SQL text.

    Args:
        text: Statements separated by semicolons, or commands of psql and sqlite3.

    Returns:
        GREEN for reads, YELLOW for changes, RED for what destroys, runs programs,
        touches the server's files, shows password hashes or is not understood.
    """
    # Words are looked for in the whole text, quoted or not: which quotes, escapes and
    # comments count differs from server to server.
    if _SECRET_TABLES.search(text) or _DESTROYING_WORDS.search(text):
        return Tier.RED
    floor = Tier.YELLOW if _WRITING_WORDS.search(text) else Tier.GREEN
    plain = _NOISE.sub(" '' ", text)
    return max(floor, *map(_statement, plain.split(";")))


def _statement(text: str) -> Tier:
    text = text.strip()
    if not text:
        return Tier.GREEN
    if text[0] in "\\.":
        reads = _PSQL_READS.match(text) or _SQLITE_READS.match(text)
        quiet = "|" not in text and "`" not in text and "\n" not in text
        return Tier.GREEN if reads and quiet and "\\!" not in text else Tier.RED
    found = _FIRST.match(text)
    word = found[1].lower() if found else ""
    if "\\" in text:
        return Tier.RED
    if word == "pragma":
        return Tier.GREEN if _PRAGMA_READS.fullmatch(text) else Tier.YELLOW
    if word in _READS:
        return Tier.YELLOW if _calls_unknown(text) else Tier.GREEN
    return Tier.YELLOW if _CHANGES.fullmatch(word) else Tier.RED


def _calls_unknown(text: str) -> bool:
    return any(
        found[1].lower().removeprefix("pg_catalog.") not in HARMLESS_CALLS
        for found in _CALL.finditer(text)
    )
