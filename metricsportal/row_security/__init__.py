"""Row-level security of PostgreSQL: policies from the models, a database engine that tells them the border."""
