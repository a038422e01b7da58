#!/usr/bin/env node
// Copies the plugin to where OpenClaw loads it from, with the list of the tenant's tools.
//
//   node install.js --wrapper http://127.0.0.1:8200 --token-file FILE --to FOLDER
import { cpSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { readSettings } from "./src/settings.js";
import { PREFIX } from "./src/tools.js";

const HERE = dirname(fileURLToPath(import.meta.url));
const PARTS = ["index.js", "openclaw.plugin.json", "package.json", "src"];

/** Fetch the tools that agents' prompts carry. */
async function listed(wrapper, tokenFile) {
  const { wrapperUrl } = readSettings({ wrapperUrl: wrapper });
  const token = readFileSync(tokenFile, "utf8").trim();
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(new URL("/api/v1/tools/listed", wrapperUrl), { headers });
  if (!response.ok) throw new Error(`the wrapper answered with status ${response.status}`);
  return (await response.json()).tools;
}

/** Write the plugin whole, or leave what was there. */
function install(tools, target) {
  const making = mkdtempSync(`${target}.`);
  try {
    for (const part of PARTS) cpSync(join(HERE, part), join(making, part), { recursive: true });
    const manifestFile = join(making, "openclaw.plugin.json");
    const manifest = JSON.parse(readFileSync(manifestFile, "utf8"));
    manifest.contracts.tools = tools.map(({ name }) => PREFIX + name);
    writeFileSync(manifestFile, `${JSON.stringify(manifest, null, 2)}\n`);
    const kept = tools.map(({ name, tool, description, parameters }) => ({ name, tool, description, parameters }));
    writeFileSync(join(making, "tools.json"), `${JSON.stringify({ tools: kept }, null, 1)}\n`);
    if (existsSync(target)) rmSync(target, { recursive: true });
    renameSync(making, target);
  } finally {
    rmSync(making, { recursive: true, force: true });
  }
}

const { values } = parseArgs({
  options: {
    wrapper: { type: "string", default: "http://127.0.0.1:8200" },
    "token-file": { type: "string" },
    to: { type: "string" },
  },
});
if (!values["token-file"] || !values.to) {
  console.error("usage: node install.js [--wrapper URL] --token-file FILE --to FOLDER");
  process.exit(2);
}
try {
  const tools = await listed(values.wrapper, values["token-file"]);
  install(tools, resolve(values.to));
  console.log(`${values.to}: ${tools.length} tools: ${tools.map(({ name }) => PREFIX + name).join(", ")}`);
} catch (error) {
  console.error(`Nothing was installed: ${error.cause?.code ?? error.message}`);
  process.exit(1);
}
