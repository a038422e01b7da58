// Tries, as OpenClaw's own unit, what the unit should prevent; writes what came of it.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import { dirname, join } from "node:path";

const found = process.argv[2];
const state = dirname(found);
const home = "/var/lib/letsbe";
const results = {};

async function tried(name, act) {
  try {
    await act();
    results[name] = "done";
  } catch (error) {
    results[name] = error.code ?? error.message;
  }
}

const write = (path) => () => fs.writeFileSync(path, "x");
const append = (path) => () => fs.appendFileSync(path, " ");
const run = (...words) => () => {
  const ended = spawnSync(words[0], words.slice(1));
  if (ended.error) throw ended.error;
  if (ended.status !== 0) throw new Error(`exit ${ended.status}`);
};
const connect = (host, port) => () =>
  new Promise((resolve, reject) => {
    const socket = net.connect({ host, port, timeout: 3000 });
    socket.on("connect", () => resolve(socket.destroy()));
    socket.on("timeout", () => reject(socket.destroy(new Error("timeout"))));
    socket.on("error", reject);
  });

await tried("write its state", write(join(state, "own.txt")));
await tried("write its configuration", append(join(state, "openclaw.json")));
await tried("write its tokens", append(join(state, ".env")));
await tried("write an agent's text", append(join(state, "agents/sales/SOUL.md")));
await tried("replace its configuration", () => {
  fs.writeFileSync(join(state, "new.json"), "{}");
  fs.renameSync(join(state, "new.json"), join(state, "openclaw.json"));
});
await tried("look into the home folder", () => fs.readdirSync(home));
await tried("read the vault's key", () => fs.readFileSync(join(home, "vault.key")));
await tried("look into root's folder", () => fs.readdirSync("/root"));
await tried("write to the system", write("/etc/letsbe-probe"));
await tried("write to the program", write("/opt/openclaw/letsbe-probe"));
await tried("see another account's process", () => fs.readFileSync("/proc/1/status"));
fs.copyFileSync("/bin/true", join(state, "program"));
fs.chmodSync(join(state, "program"), 0o755);
await tried("start a program that it wrote", run(join(state, "program")));
await tried("start a program of the system", run("/bin/true"));
await tried("make a world of its own", run("/usr/bin/unshare", "--user", "/bin/true"));
await tried("become root", run("/usr/bin/setpriv", "--reuid", "0", "/bin/true"));
await tried("reach a database of this machine", connect("127.0.0.1", 5432));
await tried("reach another address", connect("192.0.2.1", 443));
await tried("reach another machine", connect("192.0.2.7", 443));
fs.writeFileSync(found, JSON.stringify(results));
