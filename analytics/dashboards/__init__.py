"""The dashboard: the state of its URL, its questions to the engine, and the page data that answers them."""
