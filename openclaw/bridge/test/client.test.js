import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { WrapperClient, WrapperError } from "../src/client.js";
import { standIn } from "./wrapper.js";

const REQUEST = { session_id: "s", tool_name: "t", tool_args: {}, context: { tool_call_id: "c" } };

function client(t, url, timeoutMs = 5000) {
  const made = new WrapperClient(new URL(url), timeoutMs);
  t.after(() => made.close());
  return made;
}

test("a cancelled call is cancelled at the wrapper too", async (t) => {
  const wrapper = await standIn(t, () => sleep(5000, [200, {}], { ref: false }));
  const abort = new AbortController();
  const call = client(t, wrapper.url).execute("t", REQUEST, abort.signal);
  while (wrapper.calls.length < 1) await sleep(5);
  abort.abort();
  await assert.rejects(call, { name: "AbortError" });
  while (wrapper.calls.length < 2) await sleep(5);
  assert.equal(wrapper.calls[1].path, "/api/v1/tools/cancel");
  assert.deepEqual(wrapper.calls[1].body, { session_id: "s", tool_call_id: "c" });
});

test("a call that was cancelled before it began is not sent", async (t) => {
  const wrapper = await standIn(t, [200, {}]);
  await assert.rejects(client(t, wrapper.url).execute("t", REQUEST, AbortSignal.abort()));
  assert.equal(wrapper.calls.length, 0);
});

test("a request that is wrong is an answer that the model can mend", async (t) => {
  const error = { code: "invalid_request", message: "the arguments do not fit", details: [] };
  const wrapper = await standIn(t, [400, { status: "error", error }]);
  const answer = await client(t, wrapper.url).execute("t", REQUEST);
  assert.equal(answer.status, "error");
  assert.equal(answer.reason, "the arguments do not fit");
});

test("no JSON is an error", async (t) => {
  const wrapper = await standIn(t, [502, "<html>"]);
  await assert.rejects(client(t, wrapper.url).execute("t", REQUEST), WrapperError);
});

test("a connection that breaks is tried again as the same call", async (t) => {
  const seen = [];
  const server = net.createServer((socket) => {
    socket.once("data", (data) => {
      seen.push(JSON.parse(data.toString().split("\r\n\r\n")[1]));
      if (seen.length === 1) return socket.destroy();
      const body = '{"status":"ok"}';
      return socket.end(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const answer = await client(t, `http://127.0.0.1:${server.address().port}`).execute("t", REQUEST);
  assert.equal(answer.status, "ok");
  assert.equal(seen.length, 2);
  assert.deepEqual(seen[0], seen[1]);
});

test("a wrapper that is down is said to be down", async (t) => {
  await assert.rejects(client(t, "http://127.0.0.1:9").execute("t", REQUEST), (error) => {
    assert.ok(error instanceof WrapperError);
    assert.match(error.message, /cannot be reached \(ECONNREFUSED\), so nothing ran/);
    return true;
  });
});

test("a wrapper that says nothing is given up", async (t) => {
  const wrapper = await standIn(t, () => sleep(5000, [200, {}], { ref: false }));
  await assert.rejects(client(t, wrapper.url, 50).execute("t", REQUEST), /within 0.05 seconds/);
});
