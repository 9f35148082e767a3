"""openlit, as its readme says."""

import calls
import openlit
from openai import OpenAI

openlit.init()

calls.make(OpenAI())
