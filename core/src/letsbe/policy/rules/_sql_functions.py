"""Functions of SQL that only compute, and the words that may stand before ``(``.

Sources: the manuals of PostgreSQL 16, MySQL 8 and SQLite 3.
"""

from __future__ import annotations

_WORDS = (
    # Words of the language and types.
    "select from where and or not in exists any all some as over filter on using",
    "join having by limit offset between case when then else union except intersect",
    "distinct with is like ilike interval partition within lateral cast convert",
    "array row values numeric decimal varchar char character bit time timestamp",
    "timestamptz show explain describe table recursive materialized format analyze",
    "index key set unsigned signed",
    # Counting, numbers.
    "count sum avg min max total abs ceil ceiling floor round trunc sign mod power",
    "pow sqrt exp ln log log10 random rand greatest least stddev variance median",
    "corr percentile_cont percentile_disc mode width_bucket bit_count every",
    "bool_and bool_or",
    # Text.
    "length char_length octet_length character_length lower upper initcap trim",
    "ltrim rtrim btrim substr substring left right position strpos instr locate",
    "replace translate concat concat_ws repeat reverse lpad rpad split_part",
    "substring_index regexp_replace regexp_matches regexp_match",
    "regexp_split_to_table regexp_substr regexp_like ascii chr hex unhex md5 sha1",
    "sha2 sha256 encode quote quote_ident quote_literal format printf glob unicode",
    "typeof starts_with string_agg group_concat listagg to_char to_number to_hex",
    "soundex overlay unistr",
    # Dates.
    "now date time datetime julianday unixepoch strftime date_trunc date_part",
    "extract age make_date make_interval to_date to_timestamp from_unixtime",
    "unix_timestamp curdate curtime current_date current_time current_timestamp",
    "localtimestamp sysdate date_format date_add date_sub datediff timediff",
    "timestampdiff timestampadd year month day hour minute second week weekday",
    "dayname monthname dayofweek dayofmonth dayofyear quarter last_day str_to_date",
    "clock_timestamp statement_timestamp utc_timestamp justify_days justify_hours",
    # Choices, rows, windows, sets, JSON.
    "coalesce nullif ifnull isnull nvl if iif num_nulls row_number rank dense_rank",
    "percent_rank cume_dist ntile lag lead first_value last_value nth_value unnest",
    "generate_series array_agg array_length array_to_string string_to_array",
    "cardinality json json_extract json_each json_tree json_array json_object",
    "json_agg json_type json_valid json_array_length json_group_array",
    "json_group_object json_unquote json_keys json_length json_contains json_search",
    "json_pretty json_value json_query json_table json_build_object jsonb_agg",
    "jsonb_build_object jsonb_array_elements jsonb_array_elements_text",
    "json_array_elements jsonb_each jsonb_each_text jsonb_object_keys jsonb_pretty",
    "jsonb_typeof jsonb_extract_path_text to_json to_jsonb row_to_json to_tsvector",
    "to_tsquery plainto_tsquery ts_rank similarity",
    # About the server.
    "version database schema user current_user current_schema current_database",
    "current_setting connection_id last_insert_rowid changes total_changes",
    "sqlite_version pg_size_pretty pg_database_size pg_relation_size pg_table_size",
    "pg_total_relation_size pg_indexes_size pg_get_indexdef pg_get_constraintdef",
    "pg_get_viewdef pg_get_functiondef pg_get_expr pg_get_userbyid",
    "pg_is_in_recovery pg_postmaster_start_time pg_backend_pid pg_blocking_pids",
    "pg_current_wal_lsn pg_last_wal_replay_lsn pg_last_xact_replay_timestamp",
    "pg_wal_lsn_diff pg_typeof pg_table_is_visible pg_encoding_to_char",
    "obj_description col_description format_type to_regclass has_table_privilege",
    "inet_server_addr txid_current pragma_table_info pragma_index_list uuid",
    "gen_random_uuid newid",
)

HARMLESS_CALLS = frozenset(word for line in _WORDS for word in line.split())
"""What a call may be named to be no more than a read, in small letters."""
