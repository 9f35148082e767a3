"""The query engine: a `Query` value in, a `Result` value out, the same for page, API, CSV and e-mail."""
