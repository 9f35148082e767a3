// @opentelemetry/instrumentation-openai in a Node application.
import { createRequire } from "node:module";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { OpenAIInstrumentation } from "@opentelemetry/instrumentation-openai";
import { NodeSDK } from "@opentelemetry/sdk-node";

const sdk = new NodeSDK({
  traceExporter: new OTLPTraceExporter(),
  instrumentations: [new OpenAIInstrumentation()],
});
sdk.start();

const { OpenAI } = createRequire(import.meta.url)("openai");
const client = new OpenAI({ maxRetries: 0 });
const messages = [{ role: "user", content: "How many lamps stand on the quay?" }];
const chat = (model, more = {}) => client.chat.completions.create({ model, messages, ...more });
const stream = async (model, more = {}) => {
  for await (const _ of await chat(model, { stream: true, ...more })) continue;
};
const usage = { stream_options: { include_usage: true } };
const weather = { type: "function", function: { name: "weather", parameters: { type: "object", properties: {} } } };
const calls = [
  () => chat("plain"),
  () => chat("tools", { tools: [weather] }),
  () => chat("json", { response_format: { type: "json_object" } }),
  () => chat("cached-reasoning"),
  () => stream("stream-usage", usage),
  () => stream("stream-cached", usage),
  () => stream("stream-bare"),
  () => client.embeddings.create({ model: "embedding", input: ["one", "two"], encoding_format: "float" }),
  () => client.responses.create({ model: "response", input: "How many?" }),
  () => chat("status-400"),
  () => chat("status-401"),
  () => chat("status-429"),
  () => chat("status-500"),
  () => client.embeddings.create({ model: "status-429-embedding", input: "one" }),
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
