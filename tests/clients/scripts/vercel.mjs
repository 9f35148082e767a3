// The Vercel AI SDK with experimental_telemetry in a Node application.
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { NodeSDK } from "@opentelemetry/sdk-node";
import { embed, generateText, streamText, tool } from "ai";
import { z } from "zod";

const sdk = new NodeSDK({ traceExporter: new OTLPTraceExporter() });
sdk.start();

const { OPENAI_BASE_URL: baseURL, OPENAI_API_KEY: apiKey } = process.env;
const openai = createOpenAICompatible({ name: "openai", baseURL, apiKey, includeUsage: true });
const bare = createOpenAICompatible({ name: "openai", baseURL, apiKey });
const about = {
  experimental_telemetry: { isEnabled: true, functionId: "count", metadata: { userId: "alice", team: "Harbour" } },
  maxRetries: 0,
};
const prompt = "How many lamps stand on the quay?";
const chat = (model, more = {}) => generateText({ model: openai(model), prompt, ...about, ...more });
const stream = async (model, provider = openai) => {
  const result = streamText({ model: provider(model), prompt, ...about, onError: ({ error }) => console.log(error.message) });
  for await (const _ of result.textStream) continue;
};
const weather = tool({ description: "weather", inputSchema: z.object({ city: z.string() }) });
const calls = [
  () => chat("plain"),
  () => chat("tools", { tools: { weather } }),
  () => chat("cached-reasoning"),
  () => stream("stream-usage"),
  () => stream("stream-cached"),
  () => stream("stream-bare", bare),
  () => embed({ model: openai.textEmbeddingModel("embedding"), value: "one", ...about }),
  () => chat("status-400"),
  () => chat("status-401"),
  () => chat("status-429"),
  () => chat("status-500"),
  () => embed({ model: openai.textEmbeddingModel("status-429-embedding"), value: "one", ...about }),
  () => stream("status-500-stream"),
];
for (const call of calls) {
  try {
    await call();
  } catch (error) {
    console.log(`${error.constructor.name}: ${error.message}`);
  }
}
await sdk.shutdown();
