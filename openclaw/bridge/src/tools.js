// The wrapper's tools as OpenClaw registers them.
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { resultOf } from "./answers.js";

export const PREFIX = "letsbe_";

/**
 * Read the list of tools that was made when the plugin was installed.
 *
 * @param {URL} file - tools.json.
 * @returns {{name: string, tool: string, description: string, parameters: object}[]}
 *   `name` is what models call, `tool` what the wrapper calls it.
 * @throws {Error} There is no list: the plugin was copied and not installed.
 */
export function readTools(file) {
  let tools;
  try {
    ({ tools } = JSON.parse(readFileSync(file, "utf8")));
  } catch {
    throw new Error("tools.json cannot be read: install the bridge with install.js");
  }
  return tools.map(({ name, tool, description, parameters }) => ({
    name: PREFIX + name,
    tool,
    description,
    parameters,
  }));
}

/**
 * Name the tools in which two lists differ.
 *
 * @param {{name: string}[]} mine - The list of {@link readTools}.
 * @param {{name: string}[]} theirs - The wrapper's.
 * @returns {string[]} Their names in OpenClaw.
 */
export function differing(mine, theirs) {
  const told = ({ tool, description, parameters }) => JSON.stringify([tool, description, parameters]);
  const old = new Map(mine.map((tool) => [tool.name, told(tool)]));
  const now = new Map(theirs.map((tool) => [PREFIX + tool.name, told(tool)]));
  const names = new Set([...old.keys(), ...now.keys()]);
  return [...names].filter((name) => old.get(name) !== now.get(name)).sort();
}

/**
 * Make what OpenClaw calls to get one tool for one turn.
 *
 * @param {object} listed - One tool of {@link readTools}.
 * @param {object} parts - `settings`, `client`, and what all registrations share: the
 *   `gate` that the self-test opens, and the `followups`.
 * @returns {(context: object) => object | null} No tool for an agent without a token.
 */
export function toolFactory(listed, { settings, client, shared }) {
  return (context) => {
    const { agentId, sessionKey } = context;
    if (!agentId || !settings.token(agentId)) return null;
    return {
      name: listed.name,
      label: listed.name,
      description: listed.description,
      parameters: listed.parameters,
      async execute(toolCallId, params, signal) {
        await shared.gate.open();
        const token = settings.token(agentId);
        if (!token) throw new Error(`The agent ${agentId} has no token any more.`);
        const request = requestOf(listed.tool, toolCallId, params, context);
        const answer = await client.execute(token, request, signal);
        if (answer.status === "pending_approval" && sessionKey) {
          shared.followups.watch(answer.approval_id, { agentId, sessionKey, tool: listed.tool });
        }
        return resultOf(answer);
      },
    };
  };
}

function requestOf(tool, toolCallId, params, context) {
  const { sessionKey, messageChannel, requesterSenderId, senderIsOwner } = context;
  return {
    session_id: String(sessionKey ?? "none").slice(0, 256),
    tool_name: tool,
    tool_args: params ?? {},
    context: {
      // Some providers number the calls of every answer alike, so the id alone is not one.
      tool_call_id: `${String(toolCallId).slice(0, 128)}/${randomUUID()}`,
      ...(messageChannel && { channel: messageChannel }),
      ...(requesterSenderId && { sender_id: requesterSenderId }),
      ...(typeof senderIsOwner === "boolean" && { sender_is_owner: senderIsOwner }),
    },
  };
}
