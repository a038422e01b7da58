// Calls to the Safety Wrapper, over connections that stay open.
import http from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

const MOST_BYTES = 16 * 1024 * 1024;
const TRIES = 3;

export class WrapperError extends Error {}

export class WrapperClient {
  /**
   * @param {URL} url - The wrapper's address.
   * @param {number} timeoutMs - How long one call may take.
   */
  constructor(url, timeoutMs) {
    this.url = url;
    this.timeoutMs = timeoutMs;
    this.agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
  }

  /** Close the connections that stay open. */
  close() {
    this.agent.destroy();
  }

  /**
   * Call a tool. A wrapper that cannot be reached is tried again, with the same
   * `tool_call_id`, so that nothing runs twice.
   *
   * @param {string} token - The agent's token.
   * @param {{session_id: string, tool_name: string, tool_args: object,
   *   context: {tool_call_id: string}}} request
   * @param {AbortSignal} [signal] - Ends the call at the wrapper too.
   * @returns {Promise<object>} The wrapper's answer: a denial is an answer too.
   * @throws {WrapperError} It gave none; the text is fit for a model.
   */
  async execute(token, request, signal) {
    signal?.throwIfAborted();
    const cancel = () => this.#cancel(token, request);
    signal?.addEventListener("abort", cancel, { once: true });
    try {
      return await this.#answered(token, request, signal);
    } finally {
      signal?.removeEventListener("abort", cancel);
    }
  }

  /**
   * Return the tools that the wrapper would have prompts carry.
   *
   * @param {string} token - Any agent's token.
   * @throws {Error} The wrapper cannot be reached, or does not answer with them.
   */
  async listed(token) {
    const { status, body } = await this.#send("GET", "/api/v1/tools/listed", token);
    if (status !== 200) throw new WrapperError(`The Safety Wrapper answered with status ${status}.`);
    return JSON.parse(body).tools;
  }

  /**
   * Have an agent told what became of its call that waited for a person.
   *
   * @param {string} token - The agent's token.
   * @param {string} approvalId
   * @returns {Promise<{status: number, answer: {told: boolean, text: string}}>} The
   *   status 409 or 503: not now.
   */
  async tell(token, approvalId) {
    const path = `/api/v1/approvals/${encodeURIComponent(approvalId)}/tell`;
    const { status, body } = await this.#post(path, token, {});
    return { status, answer: status === 200 ? JSON.parse(body) : undefined };
  }

  async #answered(token, request, signal) {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return answerOf(await this.#post("/api/v1/tools/execute", token, request, signal));
      } catch (error) {
        if (error instanceof WrapperError || signal?.aborted) throw error;
        if (attempt === TRIES || !isBrokenConnection(error)) throw unreachable(error);
        await sleep(200 * attempt, undefined, { signal });
      }
    }
  }

  #cancel(token, request) {
    const { session_id, context } = request;
    const body = { session_id, tool_call_id: context.tool_call_id };
    // Nobody waits for it: the turn that asked is over.
    this.#post("/api/v1/tools/cancel", token, body).catch(() => {});
  }

  #post(path, token, body, signal) {
    return this.#send("POST", path, token, Buffer.from(JSON.stringify(body)), signal);
  }

  #send(method, path, token, sent = Buffer.alloc(0), signal) {
    const options = {
      method,
      agent: this.agent,
      signal,
      timeout: this.timeoutMs,
      headers: {
        authorization: `Bearer ${token}`,
        "content-type": "application/json",
        "content-length": sent.length,
      },
    };
    return new Promise((resolve, reject) => {
      const request = http.request(new URL(path, this.url), options, (response) => {
        collect(response).then(resolve, reject);
      });
      request.on("timeout", () => request.destroy(timedOut(this.timeoutMs)));
      request.on("error", reject);
      request.end(sent);
    });
  }
}

async function collect(response) {
  const pieces = [];
  let size = 0;
  for await (const piece of response) {
    size += piece.length;
    if (size > MOST_BYTES) throw new WrapperError("The Safety Wrapper's answer is too large.");
    pieces.push(piece);
  }
  return { status: response.statusCode, body: Buffer.concat(pieces).toString("utf8") };
}

function answerOf({ status, body }) {
  let answer;
  try {
    answer = JSON.parse(body);
  } catch {
    throw new WrapperError(`The Safety Wrapper answered with status ${status} and no JSON.`);
  }
  if (status === 200) return answer;
  const { code, message, alternative, details } = answer.error ?? {};
  // What is wrong with a call is for the model to mend, so it reads it as an answer.
  return { status: "error", code: code ?? String(status), reason: message, alternative, details };
}

function isBrokenConnection(error) {
  return ["ECONNREFUSED", "ECONNRESET", "EPIPE"].includes(error.code);
}

function timedOut(ms) {
  return new WrapperError(`The Safety Wrapper gave no answer within ${ms / 1000} seconds.`);
}

function unreachable(error) {
  return new WrapperError(
    `The Safety Wrapper cannot be reached (${error.code ?? "no connection"}), so nothing ran.` +
      " It is the only way to use tools; try again later, or tell the owner.",
  );
}
