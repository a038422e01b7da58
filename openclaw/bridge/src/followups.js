// Tells an agent what became of the calls that waited for a person.
import { randomUUID } from "node:crypto";

const OPEN = new Set(["pending", "running"]);
const MOST_CHARACTERS = 4000;

export class Followups {
  /**
   * @param {object} parts
   * @param {(agentId: string, args: object) => Promise<object>} parts.status - Calls
   *   approval_status as an agent.
   * @param {(place: {agentId: string, sessionKey: string}, id: string, text: string) =>
   *   Promise<void>} parts.tell - Puts a text before the agent.
   * @param {number} parts.pollMs - How often to look; 0 never.
   * @param {{warn: (text: string) => void}} parts.log
   */
  constructor({ status, tell, pollMs, log }) {
    Object.assign(this, { status, tell, pollMs, log });
    this.watched = new Map();
    this.timer = undefined;
    this.looking = false;
  }

  /** Tell of an approval once it is decided. */
  watch(approvalId, place) {
    if (!this.pollMs || !approvalId) return;
    this.watched.set(approvalId, place);
    this.timer ??= setInterval(() => this.look(), this.pollMs).unref();
  }

  /** Go on where an earlier run of the gateway left off. */
  async resume(agentIds) {
    if (!this.pollMs) return;
    for (const agentId of agentIds) {
      const found = await this.status(agentId, {}).catch(() => undefined);
      for (const row of found?.output?.approvals ?? []) {
        const place = { agentId, sessionKey: row.session_id, tool: row.tool };
        if (OPEN.has(row.state)) this.watch(row.approval_id, place);
      }
    }
  }

  stop() {
    clearInterval(this.timer);
    this.timer = undefined;
    this.watched.clear();
  }

  /** Look once at every approval that is watched. */
  async look() {
    if (this.looking) return;
    this.looking = true;
    try {
      for (const [approvalId, place] of this.watched) await this.#lookAt(approvalId, place);
    } finally {
      this.looking = false;
    }
    if (this.watched.size === 0) {
      clearInterval(this.timer);
      this.timer = undefined;
    }
  }

  async #lookAt(approvalId, place) {
    try {
      const answer = await this.status(place.agentId, { approval_id: approvalId });
      if (answer.status === "ok" && OPEN.has(answer.output.state)) return;
      this.watched.delete(approvalId);
      if (answer.status === "ok") await this.tell(place, approvalId, toldOf(answer.output));
    } catch (error) {
      this.log.warn(`An approval could not be followed up, and is tried again: ${error.message}`);
    }
  }
}

/** Say in a few words what became of an approval. */
export function toldOf({ approval_id: id, state, tool, reason, answer }) {
  const about = `[LetsBe] The call of ${tool} that waited as ${id}`;
  const said = reason ? ` The person said: ${reason}` : "";
  if (state === "denied") return `${about} was denied.${said} Do not try it another way.`;
  if (state !== "done" && state !== "failed") return `${about} was not run: it is ${state}.`;
  const { status, output, reason: why } = answer ?? {};
  const result = JSON.stringify(status === "ok" ? { status, output } : { status, reason: why });
  return `${about} was approved and has run.${said} Result: ${result.slice(0, MOST_CHARACTERS)}`;
}

/** Make what calls approval_status as an agent. */
export function statusBy(client, settings) {
  return async (agentId, args) => {
    const token = settings.token(agentId);
    if (!token) throw new Error(`the agent ${agentId} has no token`);
    const tool_call_id = `status/${randomUUID()}`;
    const request = {
      session_id: "letsbe-bridge",
      tool_name: "approval_status",
      tool_args: args,
      context: { tool_call_id },
    };
    return client.execute(token, request);
  };
}
