// Tells an agent what became of the calls that waited for a person.
import { randomUUID } from "node:crypto";

const OPEN = new Set(["pending", "running"]);
const [CONFLICT, BUSY] = [409, 503];

export class Followups {
  /**
   * @param {object} parts
   * @param {(agentId: string, args: object) => Promise<object>} parts.status - Calls
   *   approval_status as an agent.
   * @param {(place: {agentId: string, sessionKey: string}, id: string) =>
   *   Promise<boolean>} parts.tell - Puts before the agent what became of a call; false
   *   if the agent is still at something else.
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
      if (answer.status === "ok" && !(await this.tell(place, approvalId))) return;
      this.watched.delete(approvalId);
    } catch (error) {
      this.log.warn(`An approval could not be followed up, and is tried again: ${error.message}`);
    }
  }
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

/**
 * Make what tells an agent what became of its call: as a turn of the conversation that a
 * person follows at the wrapper's chat relay, or else by waking the agent.
 *
 * @param {(place: object, id: string, text: string) => Promise<void>} wake - The latter.
 */
export function tellBy(client, settings, wake) {
  return async (place, approvalId) => {
    const token = settings.token(place.agentId);
    if (!token) throw new Error(`the agent ${place.agentId} has no token`);
    const { status, answer } = await client.tell(token, approvalId);
    if (status === CONFLICT || status === BUSY) return false;
    if (status !== 200) throw new Error(`the wrapper answered with status ${status}`);
    if (!answer.told) await wake(place, approvalId, answer.text);
    return true;
  };
}
