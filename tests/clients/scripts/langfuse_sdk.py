"""Langfuse's stand-in for OpenAI's SDK, as its documentation says."""

import calls
from langfuse import get_client
from langfuse.openai import OpenAI

calls.make(OpenAI())
get_client().flush()
