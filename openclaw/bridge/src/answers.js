// What a model reads of the wrapper's answer.

const WAITING =
  "A person decides. Do not repeat the call and do not wait for it: go on with something" +
  " else. You are told here when it is decided; approval_status tells too.";

/**
 * Turn an answer into a tool's result.
 *
 * @param {object} answer - The wrapper's answer.
 * @returns {{content: {type: "text", text: string}[], details: object}} The text holds
 *   what a model can use; a call that went well needs no rule and no row number.
 */
export function resultOf(answer) {
  const { status, approval_id, audit_id } = answer;
  const shown = status === "ok" ? { status, output: answer.output } : present(answer);
  if (status === "pending_approval") shown.note = WAITING;
  return {
    content: [{ type: "text", text: JSON.stringify(shown) }],
    details: present({ status, approval_id, audit_id }),
  };
}

function present(answer) {
  const kept = Object.entries(answer).filter(
    ([, value]) => value !== null && value !== undefined && value !== false && !isEmpty(value),
  );
  return Object.fromEntries(kept);
}

function isEmpty(value) {
  return Array.isArray(value) && value.length === 0;
}
