"""Columnar cells: facts read as integers and added up. Shared by the rollups and the query engine, so both agree."""
