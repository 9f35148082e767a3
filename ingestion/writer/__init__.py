"""Storage of facts: what is acknowledged is committed, what is known is not counted again."""
