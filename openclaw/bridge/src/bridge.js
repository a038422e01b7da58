// Registers everything with OpenClaw. The policy comes first: should anything after it
// fail, no tool runs at all.
import { WrapperClient } from "./client.js";
import { Followups, statusBy, tellBy } from "./followups.js";
import { onlyOwnTools } from "./policy.js";
import { makeGate, selfTest } from "./selftest.js";
import { readSettings } from "./settings.js";
import { differing, readTools, toolFactory } from "./tools.js";

export const ID = "letsbe-bridge";
const SHARED = Symbol.for("letsbe-bridge");
const TOOLS = new URL("../tools.json", import.meta.url);

/**
 * Register the tools and the policy.
 *
 * @param {object} api - OpenClaw's plugin interface.
 * @param {URL} [toolsFile] - The list of tools.
 */
export function register(api, toolsFile = TOOLS) {
  const own = new Set();
  const evaluate = onlyOwnTools(own);
  const description = "Refuses every tool that does not go through the Safety Wrapper";
  api.registerTrustedToolPolicy({ id: "letsbe-only", description, evaluate });
  api.on("before_tool_call", evaluate, { priority: 1000 });

  const settings = readSettings(api.pluginConfig);
  const client = new WrapperClient(settings.wrapperUrl, settings.timeoutMs);
  const shared = sharedWith(api, settings, client);
  const parts = { settings, client, shared };
  const tools = readTools(toolsFile);
  for (const listed of tools) {
    own.add(listed.name);
    api.registerTool(toolFactory(listed, parts), { name: listed.name });
  }

  api.on("gateway_start", (_, context) => {
    const config = context?.config ?? api.config;
    if (settings.selfTest) shared.gate.begin(tested(api, config, context?.abortSignal));
    shared.followups.resume(agentsOf(config)).catch(() => {});
    compare(tools, agentsOf(config), parts).then((text) => text && api.logger.warn(text));
  });
  api.on("gateway_stop", () => {
    shared.followups.stop();
    client.close();
  });
}

// OpenClaw registers a plugin once for the gateway and again for each run that discovers
// tools. What began in the gateway (its self-test, what it follows up) is one for all.
function sharedWith(api, settings, client) {
  const shared = (globalThis[SHARED] ??= { gate: makeGate() });
  if (shared.followups && api.registrationMode === "discovery") return shared;
  shared.followups?.stop();
  shared.followups = new Followups({
    status: statusBy(client, settings),
    tell: tellBy(client, settings, (...told) => wake(api, ...told)),
    pollMs: settings.pollMs,
    log: api.logger,
  });
  return shared;
}

async function tested(api, config, signal) {
  try {
    await selfTest(config, process.env, signal);
    api.logger.info("LetsBe bridge: self-test passed, native tools are refused");
  } catch (error) {
    api.logger.error(`LetsBe bridge: SELF-TEST FAILED, no tool works: ${error.message}`);
    throw error;
  }
}

// The text waits in the session until the agent's next turn, through restarts; the wake
// makes that turn come now. Of all wakes, only that of a finished background task is
// heard while heartbeats are off; what the agent then says goes where the person is.
async function wake(api, { agentId, sessionKey }, approvalId, text) {
  await api.session.workflow.enqueueNextTurnInjection({
    sessionKey,
    agentId,
    text,
    idempotencyKey: approvalId,
  });
  api.runtime?.system?.requestHeartbeat?.({
    source: "background-task",
    intent: "immediate",
    reason: "letsbe-approval",
    agentId,
    sessionKey,
    heartbeat: { target: "last" },
  });
}

// The list is a file, so that the prompt stays as it is; that it is out of date is said.
async function compare(tools, agentIds, { settings, client }) {
  const token = agentIds.map((id) => settings.token(id)).find(Boolean);
  if (!token) return undefined;
  const theirs = await client.listed(token).catch(() => undefined);
  const names = theirs ? differing(tools, theirs) : [];
  if (!names.length) return undefined;
  return (
    `LetsBe bridge: the list of tools is out of date (${names.join(", ")}):` +
    " run `letsbe openclaw configure` and restart the gateway"
  );
}

function agentsOf(config) {
  return [...new Set(["main", ...Object.keys(config?.agents?.entries ?? {})])];
}
