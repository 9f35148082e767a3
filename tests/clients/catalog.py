"""The clients: what is installed, what a user would write, and what each of them is known not to say."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

_OPENAI: Final = "openai==3.57.0"
_SDK: Final = ("opentelemetry-sdk==1.45.2", "opentelemetry-exporter-otlp-proto-http==1.45.2")


@dataclass(frozen=True, slots=True)
class Client:
    """One client. In `environment`, {portal}, {key}, {basic} and {upstream} stand for what a user would put there.

    `known` names, by field, patterns of models for which the client itself says nothing or something else: everything
    else must be equal to the books of the upstream. `unseen` are patterns of models whose calls it makes no span of,
    `retried` of those that it calls again by itself and reports once.
    """

    name: str
    packages: tuple[str, ...]
    command: tuple[str, ...]
    environment: Mapping[str, str]
    known: Mapping[str, str] = field(default_factory=dict)
    unseen: str = ""
    retried: str = ""
    folder: str = ""
    node: bool = False


_OTLP: Final = {
    "OTEL_EXPORTER_OTLP_ENDPOINT": "{portal}",
    "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
    "OTEL_EXPORTER_OTLP_HEADERS": "Authorization=Bearer%20{key}",
    "OTEL_SERVICE_NAME": "shop",
}

# One release of all parts of OpenTelemetry: left alone, pip finds no set that fits together.
_SET: Final = ("opentelemetry-sdk==1.45.1", "opentelemetry-instrumentation==0.66b1")
_NOT_STREAMED: Final = "plain tools json cached-* embedding response status-*"
_V2: Final = (
    "opentelemetry-instrumentation-openai-v2==2.4b0",
    # Later ones miss a module that it imports, and OpenAI's SDK no longer brings httpx.
    "opentelemetry-util-genai==1.0b0",
    "httpx==0.28.1",
    "opentelemetry-distro==0.66b2",
    *_SDK,
    _OPENAI,
)
_V2_SILENT: Final = {
    "streaming": "*",
    "TTFT": "stream-*",
    "cache read": "cached-* stream-cached",
    "reasoning": "cached-reasoning",
}

_LITELLM: Final = ("litellm[proxy]==1.108.7", *_SDK)
_LOCAL_COSTS: Final = {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}
_LITELLM_OTEL: Final = {
    "OTEL_EXPORTER": "otlp_http",
    "OTEL_ENDPOINT": "{portal}/v1/traces",
    "OTEL_HEADERS": "Authorization=Bearer {key}",
}
_NODE_SDK: Final = ("@opentelemetry/sdk-node@0.223.0", "@opentelemetry/exporter-trace-otlp-proto@0.223.1")

CLIENTS: Final = (
    Client(
        name="otel-openai-v2",
        packages=_V2,
        command=("bin/opentelemetry-instrument", "bin/python", "openai_plain.py"),
        environment=_OTLP,
        known=_V2_SILENT,
        unseen="response*",
    ),
    Client(
        name="otel-openai-v2-new",
        folder="otel-openai-v2",
        packages=_V2,
        command=("bin/opentelemetry-instrument", "bin/python", "openai_plain.py"),
        environment={**_OTLP, "OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai_latest_experimental"},
        known=_V2_SILENT,
        unseen="response*",
    ),
    Client(
        name="openinference",
        packages=("openinference-instrumentation-openai==0.1.66", *_SDK, _OPENAI),
        command=("bin/python", "phoenix.py"),
        environment=_OTLP,
        # Only an answer that was streamed tells: its first chunk is an event.
        known={"streaming": _NOT_STREAMED},
    ),
    Client(
        name="traceloop",
        packages=("traceloop-sdk==0.62.4", "httpx==0.28.1", *_SET, _OPENAI),
        command=("bin/python", "openllmetry.py"),
        environment={
            "TRACELOOP_BASE_URL": "{portal}",
            "TRACELOOP_HEADERS": "Authorization=Bearer%20{key}",
            "TRACELOOP_TELEMETRY": "false",
        },
        known={"TTFT": "stream-* response-stream"},
    ),
    Client(
        name="openlit",
        packages=("openlit==1.45.0", *_SET, "openai==2.54.0"),
        command=("bin/python", "openlit_sdk.py"),
        environment=_OTLP,
        # It counts the tokens of a stream without usage by itself.
        known={"reasoning": "cached-reasoning", "input": "stream-bare", "output": "stream-bare", "model": "embedding"},
    ),
    Client(
        name="langfuse",
        packages=("langfuse==5.0.4", _OPENAI),
        command=("bin/python", "langfuse_sdk.py"),
        environment={
            "LANGFUSE_HOST": "{portal}",
            "LANGFUSE_BASE_URL": "{portal}",
            "LANGFUSE_PUBLIC_KEY": "portal",
            "LANGFUSE_SECRET_KEY": "{key}",
        },
        known={"streaming": _NOT_STREAMED, "provider": "*"},
    ),
    Client(
        name="langfuse-v2",
        packages=("langfuse==2.60.10", _OPENAI),
        command=("bin/python", "langfuse_v2.py"),
        environment={
            "LANGFUSE_HOST": "{portal}",
            "LANGFUSE_PUBLIC_KEY": "portal",
            "LANGFUSE_SECRET_KEY": "{key}",
        },
        known={
            "streaming": _NOT_STREAMED,
            "provider": "*",
            "input": "response-stream",
            "output": "response-stream",
        },
        unseen="embedding status-429-embedding",
    ),
    Client(
        name="litellm-callback",
        folder="litellm",
        packages=_LITELLM,
        command=("bin/python", "litellm_proxy.py", '{callbacks: ["generic_api"]}'),
        environment={
            **_LOCAL_COSTS,
            "GENERIC_LOGGER_ENDPOINT": "{portal}/api/v1/ingest/litellm",
            "GENERIC_LOGGER_HEADERS": "Authorization=Bearer {key}",
        },
        known={"model": "*", "streaming": "status-* response-stream"},
        retried="status-429-embedding",
    ),
    Client(
        name="litellm-otel",
        folder="litellm",
        packages=_LITELLM,
        command=("bin/python", "litellm_proxy.py", '{callbacks: ["otel"]}'),
        environment={**_LOCAL_COSTS, **_LITELLM_OTEL},
        known={
            "model": "*",
            "cache read": "cached-* stream-cached",
            "reasoning": "cached-*",
            "TTFT": "stream-* response-stream",
            "streaming": "response-stream",
        },
        retried="status-429-embedding",
    ),
    Client(
        name="litellm-otel-v2",
        folder="litellm",
        packages=_LITELLM,
        command=("bin/python", "litellm_proxy.py", '{callbacks: ["otel"]}'),
        environment={**_LOCAL_COSTS, **_LITELLM_OTEL, "LITELLM_OTEL_V2": "true"},
        known={"model": "*", "reasoning": "cached-*", "streaming": _NOT_STREAMED + " response-stream"},
        retried="status-429-embedding",
    ),
    Client(
        name="litellm-both",  # whichever comes first is kept, so only the number of rows is certain
        folder="litellm",
        packages=_LITELLM,
        command=("bin/python", "litellm_proxy.py", '{callbacks: ["generic_api", "otel"]}'),
        environment={
            **_LOCAL_COSTS,
            **_LITELLM_OTEL,
            "LITELLM_OTEL_V2": "true",
            "GENERIC_LOGGER_ENDPOINT": "{portal}/api/v1/ingest/litellm",
            "GENERIC_LOGGER_HEADERS": "Authorization=Bearer {key}",
        },
        known={"model": "*", "reasoning": "cached-*", "streaming": _NOT_STREAMED + " response-stream"},
        retried="status-429-embedding",
    ),
    Client(
        name="openai-js",
        packages=(
            "openai@6.49.0",
            "@opentelemetry/instrumentation-openai@0.21.0",
            *_NODE_SDK,
        ),
        command=("node", "openai_js.mjs"),
        environment=_OTLP,
        known=_V2_SILENT,
        node=True,
    ),
    Client(
        name="vercel-ai",
        packages=("ai@6.0.326", "@ai-sdk/openai-compatible@2.0.92", "zod@4.6.7", *_NODE_SDK),
        command=("node", "vercel.mjs"),
        environment=_OTLP,
        known={"model": "embedding", "status": "status-*"},
        node=True,
    ),
)
