"""Tenancy: organizations, people, teams, keys, and what each may see."""
