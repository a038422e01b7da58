// What OpenClaw loads; everything else is in src/ and knows OpenClaw only by `api`.
import { definePluginEntry } from "openclaw/plugin-sdk/plugin-entry";
import { ID, register } from "./src/bridge.js";

export default definePluginEntry({
  id: ID,
  name: "LetsBe bridge",
  description: "The Safety Wrapper's tools, and a policy that refuses every other tool",
  register,
});
