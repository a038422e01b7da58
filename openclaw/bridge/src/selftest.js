// At the start of the gateway, a native tool is called and must be refused. Gates that
// silently did nothing have been this runtime's most common fault.
import { setTimeout as sleep } from "node:timers/promises";

// Harmless should it run, offered by every default profile, and not on the list of
// tools that /tools/invoke refuses by itself.
export const CANARY = "session_status";
const REFUSED = new Set([403, 404]);
const TRIES = 60;
const PAUSE_MS = 500;

/**
 * Call a native tool through the gateway's own door.
 *
 * @param {object} config - OpenClaw's configuration.
 * @param {Record<string, string | undefined>} env
 * @param {AbortSignal} [signal] - Ends the attempt.
 * @returns {Promise<void>} Resolves if the tool was refused.
 * @throws {Error} It ran, or it could not be tried; the text says which.
 */
export async function selfTest(config, env, signal) {
  const gateway = config?.gateway ?? {};
  const token = gateway.auth?.token ?? env.OPENCLAW_GATEWAY_TOKEN;
  if (typeof token !== "string" || !token) {
    throw new Error("there is no gateway token to try it with (gateway.auth.token)");
  }
  const port = env.OPENCLAW_GATEWAY_PORT ?? gateway.port ?? 18789;
  const url = `http://127.0.0.1:${port}/tools/invoke`;
  const response = await reached(url, token, signal);
  const body = await response.json().catch(() => ({}));
  if (REFUSED.has(response.status) || wasBlocked(body)) return;
  const outcome = response.ok ? "it ran" : `the gateway answered ${response.status}`;
  throw new Error(`a native tool (${CANARY}) was not refused: ${outcome}`);
}

async function reached(url, token, signal) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await fetch(url, {
        method: "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: JSON.stringify({ tool: CANARY, args: {} }),
        signal,
      });
    } catch (error) {
      // Plugins start before the gateway listens.
      if (attempt === TRIES || signal?.aborted) throw new Error("the gateway did not answer");
      await sleep(PAUSE_MS, undefined, { signal });
    }
  }
}

function wasBlocked(body) {
  return JSON.stringify(body).includes("is not routed through the Safety Wrapper");
}

/**
 * Make the gate before every call: closed until the self-test has passed.
 *
 * @returns {{open: () => Promise<void>, begin: (test: Promise<void>) => void}} `open`
 *   throws once the test has failed. Without a gateway, in a single embedded run, there
 *   is no test and the policy stands alone.
 */
export function makeGate() {
  let outcome = Promise.resolve();
  return {
    open: () => outcome,
    begin(test) {
      outcome = test.catch((error) => {
        throw new Error(
          "The bridge to the Safety Wrapper has closed itself, since its self-test failed:" +
            ` ${error.message}. Tell the owner; no tool works until it is mended.`,
        );
      });
      outcome.catch(() => {});
    },
  };
}
