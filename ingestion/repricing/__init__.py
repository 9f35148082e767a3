"""Repricing: stored requests get the cost that the price book says now, previewed, in chunks, with an audit row."""
