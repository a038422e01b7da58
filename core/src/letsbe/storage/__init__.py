"""What is kept on disk: the database, the audit chain, the documents."""
