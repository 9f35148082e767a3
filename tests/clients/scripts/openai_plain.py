"""An application that does not know of OpenTelemetry: `opentelemetry-instrument` adds everything."""

import calls
from openai import OpenAI

calls.make(OpenAI())
