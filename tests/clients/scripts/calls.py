"""The calls of a small application with OpenAI's SDK; nothing in them knows that somebody watches."""

from collections.abc import Callable
from typing import Any

import openai

MESSAGES = [{"role": "user", "content": "How many lamps stand on the quay?"}]
TOOL = {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}


def calls(client: Any) -> list[Callable[[], Any]]:
    """Every call with a model of its own."""
    chat = client.chat.completions.create

    def streamed(model: str, **more: Any) -> None:
        for _ in chat(model=model, messages=MESSAGES, stream=True, **more):
            pass

    def responses_streamed() -> None:
        for _ in client.responses.create(model="response-stream", input="How many?", stream=True):
            pass

    return [
        lambda: chat(model="plain", messages=MESSAGES),
        lambda: chat(model="tools", messages=MESSAGES, tools=[{"type": "function", "function": TOOL}]),
        lambda: chat(model="json", messages=MESSAGES, response_format={"type": "json_object"}),
        lambda: chat(model="cached-reasoning", messages=MESSAGES),
        lambda: streamed("stream-usage", stream_options={"include_usage": True}),
        lambda: streamed("stream-cached", stream_options={"include_usage": True}),
        lambda: streamed("stream-bare"),
        lambda: client.embeddings.create(model="embedding", input=["one", "two"]),
        lambda: client.responses.create(model="response", input="How many?"),
        responses_streamed,
        lambda: chat(model="status-400", messages=MESSAGES),
        lambda: chat(model="status-401", messages=MESSAGES),
        lambda: chat(model="status-429", messages=MESSAGES),
        lambda: chat(model="status-500", messages=MESSAGES),
        lambda: client.embeddings.create(model="status-429-embedding", input="one"),
        lambda: streamed("status-500-stream"),
    ]


def make(client: Any) -> None:
    """Make them all; the errors are part of it."""
    for call in calls(client.with_options(max_retries=0)):
        try:
            call()
        except openai.APIStatusError as error:
            print(f"{type(error).__name__}: {error}")
