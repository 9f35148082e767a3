"""Weekly and daily summaries of a team: when they are due, what they say, and making each once."""
