"""Exports in the background: asked for, read in parts by one worker or by several in turn, fetched, deleted."""
