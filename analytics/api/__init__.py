"""The REST API: views parse, call the engine and render; answers and refusals are described in docs/api.md."""
