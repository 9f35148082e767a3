"""Wire formats: each turns a body into canonical records, one module each."""
