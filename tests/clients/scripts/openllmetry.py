"""OpenLLMetry, as its readme says."""

import calls
from openai import OpenAI
from traceloop.sdk import Traceloop

Traceloop.init(app_name="traceloop-app")

calls.make(OpenAI())
