// The policy that refuses every tool but the wrapper's, whatever tools.allow says.

/**
 * Make the policy.
 *
 * @param {ReadonlySet<string>} own - The names of the wrapper's tools. A set that is
 *   still empty refuses everything.
 * @returns {(event: {toolName: string, toolKind?: string}) =>
 *   {block: true, blockReason: string} | undefined}
 */
export function onlyOwnTools(own) {
  return (event) => {
    // A tool of another kind may share a name; none of ours has a kind.
    if (own.has(event?.toolName) && event.toolKind === undefined) return undefined;
    const known = [...own].join(", ") || "none, since the bridge is not working";
    const blockReason =
      `The tool ${String(event?.toolName).slice(0, 64)} is not routed through the Safety` +
      ` Wrapper, so it does not run. Tools that do: ${known}.`;
    return { block: true, blockReason };
  };
}
