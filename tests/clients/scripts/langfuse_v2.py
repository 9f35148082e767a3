"""The same of Langfuse's second SDK, which sends batches of its own instead of OpenTelemetry's."""

import calls
from langfuse.openai import OpenAI, openai

calls.make(OpenAI())
openai.flush_langfuse()
