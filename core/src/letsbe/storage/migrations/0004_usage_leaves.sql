-- Usage moves into a file of its own, usage/usage.db (see home_schema.py): what takes
-- LLM calls apart writes that one, and cannot read this one.
DROP TABLE token_usage;
DROP TABLE usage_journals;
DELETE FROM hub_state
 WHERE key = 'allowance' OR key GLOB 'usage:*' OR key GLOB 'usage-refused:*';
