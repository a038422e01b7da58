"""The database: tables, migrations, transactions, the two hot writers."""
