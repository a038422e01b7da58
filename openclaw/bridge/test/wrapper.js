// A stand-in of the Safety Wrapper's HTTP interface that remembers what it was asked.
import { once } from "node:events";
import http from "node:http";

/** Serve answers, one after another; a function is given the request's body and path. */
export async function standIn(t, ...answers) {
  const calls = [];
  const server = http.createServer(async (request, response) => {
    const pieces = [];
    for await (const piece of request) pieces.push(piece);
    const body = JSON.parse(Buffer.concat(pieces).toString() || "{}");
    calls.push({ path: request.url, token: request.headers.authorization, body });
    if (request.url.endsWith("/cancel")) return send(response, 200, { cancelled: true });
    const next = answers.length > 1 ? answers.shift() : answers[0];
    const [status, answer] = await (typeof next === "function" ? next(body, request.url) : next);
    return send(response, status, answer);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { calls, url: `http://127.0.0.1:${server.address().port}` };
}

function send(response, status, answer) {
  const text = typeof answer === "string" ? answer : JSON.stringify(answer);
  response.writeHead(status, { "content-type": "application/json" }).end(text);
}
