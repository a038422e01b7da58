"""Which column a cell stands in, whatever separates the columns."""

from __future__ import annotations

import pytest

from letsbe_redactor_patterns.columns import is_of_secrets


@pytest.mark.parametrize(
    "table",
    [
        b"| Name | API Key |\n|---|---|\n| prod | CELL |",
        b" user | password \n------+----------\n bob  | CELL",
        b"host,user,password\ndb,app,CELL",
        b"url;username;password;note\nh;bob;CELL;fine",
        b"host\tpassword\ndb\tCELL",
        rb'"content": "host\tpassword\ndb\tCELL"',
        rb'"content": "| a | **Secret** |\n|---|---|\n| x | CELL |"',
    ],
)
def test_a_cell_under_a_secrets_name_is_one(table: bytes) -> None:
    head = next(
        table.lower().find(w)
        for w in (b"key", b"pass", b"secret")
        if w in table.lower()
    )
    assert is_of_secrets(table, head, table.index(b"CELL"))


@pytest.mark.parametrize(
    "table",
    [
        b"| CELL | API Key |\n|---|---|\n| CELL | x |",
        b"host,password,user\ndb,x,CELL",
        b"host,password\ndb,app,CELL",
        b"password\nCELL",
        b"name,password_policy\na,CELL",
    ],
)
def test_a_cell_of_another_column_or_table_is_none(table: bytes) -> None:
    head = max(table.lower().find(b"key"), table.find(b"pass"))
    assert not is_of_secrets(table, head, table.rindex(b"CELL"))
