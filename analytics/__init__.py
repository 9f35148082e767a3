"""Analytics: aggregates, the query engine, and everything that shows their answers."""
