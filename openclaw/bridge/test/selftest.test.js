import assert from "node:assert/strict";
import { test } from "node:test";
import { CANARY, makeGate, selfTest } from "../src/selftest.js";
import { standIn } from "./wrapper.js";

async function gateway(t, ...answers) {
  const served = await standIn(t, ...answers);
  const config = { gateway: { port: Number(new URL(served.url).port), auth: { token: "g" } } };
  return { served, config };
}

test("a tool that is not offered, or blocked, passes", async (t) => {
  const blocked = "The tool x is not routed through the Safety Wrapper, so";
  for (const answer of [
    [404, { ok: false, error: { type: "not_found" } }],
    [200, { ok: true, result: { content: [{ type: "text", text: blocked }] } }],
    [500, { ok: false, error: { message: blocked } }],
  ]) {
    const { served, config } = await gateway(t, answer);
    await selfTest(config, {});
    assert.deepEqual(served.calls[0].body, { tool: CANARY, args: {} });
    assert.equal(served.calls[0].token, "Bearer g");
  }
});

test("a tool that ran, or a gateway that fails otherwise, does not pass", async (t) => {
  for (const [answer, why] of [
    [[200, { ok: true, result: {} }], /it ran/],
    [[401, {}], /answered 401/],
  ]) {
    const { config } = await gateway(t, answer);
    await assert.rejects(selfTest(config, {}), why);
  }
});

test("without a gateway token nothing can be tried, so it does not pass", async () => {
  await assert.rejects(selfTest({}, {}), /no gateway token/);
});

test("the gate waits for the test, and stays shut when it fails", async () => {
  const gate = makeGate();
  await gate.open();
  let pass;
  gate.begin(new Promise((resolve) => (pass = resolve)));
  const opened = gate.open();
  pass();
  await opened;
  gate.begin(Promise.reject(new Error("it ran")));
  await assert.rejects(gate.open(), /closed itself.*it ran/);
});
