import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, test } from "node:test";
import { pathToFileURL } from "node:url";
import { ID, register } from "../src/bridge.js";
import { standIn } from "./wrapper.js";

const LISTED = [{ name: "shell", tool: "shell", description: "Run.", parameters: { type: "object" } }];

beforeEach(() => delete globalThis[Symbol.for("letsbe-bridge")]);

/** What OpenClaw gives a plugin, as far as the bridge uses it. */
function host(t, config, tools = LISTED) {
  const folder = mkdtempSync(join(tmpdir(), "bridge-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "tools.json");
  if (tools) writeFileSync(file, JSON.stringify({ tools }));
  const seen = { policies: [], tools: new Map(), hooks: {}, logged: [], told: [], woken: [] };
  const log = (text) => seen.logged.push(text);
  const api = {
    pluginConfig: config,
    config: {},
    logger: { info: log, warn: log, error: log },
    registerTrustedToolPolicy: (policy) => seen.policies.push(policy),
    registerTool: (factory, { name }) => seen.tools.set(name, factory),
    on: (name, handler) => {
      seen.hooks[name] = handler;
      if (name === "gateway_start") t.after(() => seen.hooks.gateway_stop());
    },
    session: { workflow: { enqueueNextTurnInjection: async (row) => seen.told.push(row) } },
    runtime: { system: { requestHeartbeat: (wake) => seen.woken.push(wake) } },
  };
  return { api, seen, file: pathToFileURL(file) };
}

/** Register with a wrapper that is asked often, and see that the test waits for it. */
function polling(t, wrapper) {
  const { api, seen, file } = host(t, {
    wrapperUrl: wrapper.url,
    tokens: { main: "t" },
    pollSeconds: 0.02,
    selfTest: false,
  });
  register(api, file);
  // What asks does not keep the process alive.
  const keep = setInterval(() => {}, 10);
  t.after(() => {
    clearInterval(keep);
    seen.hooks.gateway_stop();
  });
  return seen;
}

const CONTEXT = {
  agentId: "main",
  sessionKey: "agent:main:x",
  messageChannel: "telegram",
  requesterSenderId: "42",
  senderIsOwner: true,
};

test("a call goes to the wrapper with its context and the agent's own token", async (t) => {
  const wrapper = await standIn(t, [200, { status: "ok", tier: "GREEN", rule: "echo", output: 7 }]);
  const { api, seen, file } = host(t, { wrapperUrl: wrapper.url, tokens: { main: "t-main" } });
  register(api, file);
  const tool = seen.tools.get("letsbe_shell")(CONTEXT);
  const result = await tool.execute("call_1", { command: "echo" });
  assert.equal(result.content[0].text, '{"status":"ok","output":7}');
  const [{ path, token, body }] = wrapper.calls;
  assert.equal(path, "/api/v1/tools/execute");
  assert.equal(token, "Bearer t-main");
  const { tool_call_id, ...context } = body.context;
  assert.match(tool_call_id, /^call_1\/[0-9a-f-]{36}$/);
  assert.deepEqual(context, { channel: "telegram", sender_id: "42", sender_is_owner: true });
  assert.equal(body.session_id, "agent:main:x");
  assert.equal(body.tool_name, "shell");
  assert.deepEqual(body.tool_args, { command: "echo" });
});

test("an agent without a token has no tools", (t) => {
  const { api, seen, file } = host(t, { tokens: { main: "t" } });
  register(api, file);
  const factory = seen.tools.get("letsbe_shell");
  assert.equal(factory({ ...CONTEXT, agentId: "sales" }), null);
  assert.equal(factory({}), null);
});

test("tokens come from files too, and no agent's name leaves their folder", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "tokens-"));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "main"), "t-file\n");
  writeFileSync(join(folder, "..", "stray"), "t-stray");
  t.after(() => rmSync(join(folder, "..", "stray")));
  const { api, seen, file } = host(t, { tokenFolder: folder });
  register(api, file);
  const factory = seen.tools.get("letsbe_shell");
  assert.equal(factory(CONTEXT).name, "letsbe_shell");
  assert.equal(factory({ agentId: "../stray" }), null);
});

test("the policy refuses what is not the wrapper's, and says what is", (t) => {
  const { api, seen, file } = host(t, { tokens: { main: "t" } });
  register(api, file);
  const [{ id, evaluate }] = seen.policies;
  assert.equal(id, "letsbe-only");
  assert.equal(evaluate({ toolName: "letsbe_shell" }), undefined);
  for (const event of [
    { toolName: "exec" },
    { toolName: "LETSBE_SHELL" },
    { toolName: "letsbe_shell", toolKind: "code_mode_exec" },
    {},
  ]) {
    const refused = evaluate(event);
    assert.equal(refused.block, true);
    assert.match(refused.blockReason, /letsbe_shell/);
    assert.deepEqual(seen.hooks.before_tool_call(event), refused);
  }
});

for (const [why, config, tools] of [
  ["a wrapper elsewhere", { wrapperUrl: "http://10.0.0.1:8200" }, LISTED],
  ["no list of tools", {}, null],
]) {
  test(`with ${why} the plugin fails, and the policy stands`, (t) => {
    const { api, seen, file } = host(t, config, tools);
    assert.throws(() => register(api, file), /wrapperUrl|tools.json/);
    assert.equal(seen.policies[0].evaluate({ toolName: "letsbe_shell" }).block, true);
    assert.equal(seen.policies[0].evaluate({ toolName: "exec" }).block, true);
  });
}

test("a call that waits is followed up once it is decided", async (t) => {
  const waiting = { status: "pending_approval", approval_id: "apr_1", reason: "deletes" };
  const decided = { approval_id: "apr_1", state: "denied", tool: "shell", reason: "not today" };
  const wrapper = await standIn(
    t,
    [200, waiting],
    [200, { status: "ok", output: { approval_id: "apr_1", state: "pending" } }],
    [200, { status: "ok", output: decided }],
    [409, { error: { code: "conflict" } }],
    [200, { status: "ok", output: decided }],
    [200, { told: false, text: "It was denied. The person said: not today" }],
  );
  const seen = polling(t, wrapper);
  const result = await seen.tools.get("letsbe_shell")(CONTEXT).execute("c", {});
  assert.match(result.content[0].text, /A person decides/);
  while (!seen.told.length) await new Promise((done) => setTimeout(done, 10));
  assert.equal(seen.told[0].sessionKey, "agent:main:x");
  assert.equal(seen.told[0].idempotencyKey, "apr_1");
  assert.match(seen.told[0].text, /denied. The person said: not today/);
  assert.equal(seen.woken[0].sessionKey, "agent:main:x");
  assert.equal(wrapper.calls.at(-1).path, "/api/v1/approvals/apr_1/tell");
  const asked = wrapper.calls.length;
  await new Promise((done) => setTimeout(done, 80));
  assert.equal(wrapper.calls.length, asked, "it is not looked at again");
});

test("what the chat relay tells is not told again", async (t) => {
  const decided = { approval_id: "apr_1", state: "done", tool: "shell" };
  const wrapper = await standIn(
    t,
    [200, { status: "pending_approval", approval_id: "apr_1", reason: "deletes" }],
    [200, { status: "ok", output: decided }],
    [200, { told: true, text: "It has run." }],
  );
  const seen = polling(t, wrapper);
  await seen.tools.get("letsbe_shell")(CONTEXT).execute("c", {});
  await new Promise((done) => setTimeout(done, 200));
  assert.equal(wrapper.calls.length, 3);
  assert.deepEqual([seen.told, seen.woken], [[], []]);
});

test("each run that discovers tools shares the gateway's self-test", async (t) => {
  const wrapper = await standIn(t, [200, { status: "ok", output: 1 }]);
  const { api, seen, file } = host(t, { wrapperUrl: wrapper.url, tokens: { main: "t" } });
  register({ ...api, registrationMode: "full" }, file);
  seen.hooks.gateway_start({}, { config: {} });
  register({ ...api, registrationMode: "discovery" }, file);
  const tool = seen.tools.get("letsbe_shell")(CONTEXT);
  await assert.rejects(tool.execute("c", {}), /self-test failed: there is no gateway token/);
  assert.equal(wrapper.calls.length, 0);
});

test("a gateway that starts anew goes on following up", async (t) => {
  const open = { approval_id: "apr_9", state: "pending", tool: "shell", session_id: "s9" };
  const done = { approval_id: "apr_9", state: "done", tool: "shell", answer: { status: "ok", output: 1 } };
  const others = { ...open, state: "denied", approval_id: "x" };
  const told = { told: false, text: 'It was approved and has run. Result: {"output":1}' };
  const wrapper = await standIn(t, (body, path) => {
    if (path.endsWith("/listed")) return [200, { tools: LISTED }];
    if (path.endsWith("/apr_9/tell")) return [200, told];
    const output = body.tool_args.approval_id ? done : { approvals: [open, others] };
    return [200, { status: "ok", output }];
  });
  const seen = polling(t, wrapper);
  seen.hooks.gateway_start({}, { config: {} });
  while (!seen.told.length) await new Promise((next) => setTimeout(next, 10));
  assert.equal(seen.told.length, 1);
  assert.equal(seen.told[0].sessionKey, "s9");
  assert.match(seen.told[0].text, /approved and has run.*"output":1/);
});

test("the plugin has the id that the manifest has", async () => {
  const { default: manifest } = await import("../openclaw.plugin.json", { with: { type: "json" } });
  assert.equal(manifest.id, ID);
});

test("a list of tools that is out of date is said at the start", async (t) => {
  const now = [{ ...LISTED[0], description: "Run one." }, { name: "docker", tool: "docker" }];
  const wrapper = await standIn(t, [200, { tools: now, status: "ok", output: {} }]);
  const { api, seen, file } = host(t, { wrapperUrl: wrapper.url, tokens: { main: "t" }, selfTest: false });
  register(api, file);
  seen.hooks.gateway_start({}, { config: {} });
  while (!seen.logged.length) await new Promise((done) => setTimeout(done, 5));
  assert.match(seen.logged[0], /out of date \(letsbe_docker, letsbe_shell\): run `letsbe openclaw/);
});
