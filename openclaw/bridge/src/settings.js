// The plugin's settings, as they stand under plugins.entries.letsbe-bridge.config.
import { readFileSync } from "node:fs";
import { join } from "node:path";

const LOOPBACK = new Set(["127.0.0.1", "[::1]", "localhost"]);
const AGENT = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

/**
 * Check the settings and fill in what is left out.
 *
 * @param {Record<string, unknown>} given - The settings; their form was checked by the
 *   manifest's schema.
 * @returns {{wrapperUrl: URL, timeoutMs: number, pollMs: number, selfTest: boolean,
 *   token: (agentId: string) => string | undefined, agents: string[]}}
 * @throws {Error} The wrapper is not on loopback: its tokens would cross a network.
 */
export function readSettings(given = {}) {
  const wrapperUrl = new URL(given.wrapperUrl ?? "http://127.0.0.1:8200");
  if (wrapperUrl.protocol !== "http:" || !LOOPBACK.has(wrapperUrl.hostname)) {
    throw new Error("wrapperUrl must be an http address of this machine's loopback");
  }
  const tokens = new Map(Object.entries(given.tokens ?? {}));
  return {
    wrapperUrl,
    timeoutMs: (given.timeoutSeconds ?? 600) * 1000,
    pollMs: (given.pollSeconds ?? 15) * 1000,
    selfTest: given.selfTest ?? true,
    token: (agentId) => tokens.get(agentId) ?? tokenFile(given.tokenFolder, agentId),
  };
}

// Read anew each time, so that a token can be replaced while the gateway runs.
function tokenFile(folder, agentId) {
  if (!folder || !AGENT.test(agentId)) return undefined;
  try {
    return readFileSync(join(folder, agentId), "utf8").trim() || undefined;
  } catch {
    return undefined;
  }
}
