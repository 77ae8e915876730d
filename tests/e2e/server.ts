// The real binary, on free ports, with a data folder of its own.

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import net from "node:net";
import os from "node:os";
import path from "node:path";

const BINARY = process.env.KEYGATE_BIN ?? path.resolve(import.meta.dirname, "../../target/release/keygate");

/** One port a region, in a row. */
const REGIONS = 3;

export class Server {
  private process?: ChildProcess;
  private lines: string[] = [];
  /** Everything written to stderr: the log. */
  log = "";

  private constructor(
    readonly port: number,
    readonly data: string,
    private readonly config?: string,
    private readonly regions = REGIONS,
  ) {}

  /** A server with this configuration, of so many regions. */
  static async start(config?: string, regions?: number): Promise<Server> {
    const data = await mkdtemp(path.join(os.tmpdir(), "keygate-e2e-"));
    const file = config === undefined ? undefined : path.join(data, "keygate.toml");
    if (file) await writeFile(file, config!);
    const server = new Server(await freePorts(), data, file, regions);
    await server.run();
    return server;
  }

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The link that was printed at the first start. */
  get signInLink() {
    const line = this.lines.find((line) => line.startsWith("Sign in: "));
    if (!line) throw new Error(`no sign-in link in:\n${this.lines.join("\n")}\n${this.log}`);
    return line.slice("Sign in: ".length);
  }

  /** Starts the process; again after `stop`, with the same data and ports. */
  async run() {
    this.lines = [];
    const process = spawn(BINARY, ["serve", ...(this.config ? ["--config", this.config] : [])], {
      env: { ...globalThis.process.env, KEYGATE_DATA_DIR: this.data, KEYGATE_LISTEN: `127.0.0.1:${this.port}` },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.process = process;
    process.stdout.setEncoding("utf8").on("data", (text: string) => this.lines.push(...text.split("\n").filter(Boolean)));
    process.stderr.setEncoding("utf8").on("data", (text: string) => (this.log += text));
    await until(async () => {
      if (process.exitCode !== null) throw new Error(`keygate ended:\n${this.log}`);
      // The gateways are told last.
      return this.lines.filter((line) => line.startsWith("Gateway: ")).length === this.regions;
    });
  }

  async stop() {
    const process = this.process;
    if (!process || process.exitCode !== null) return;
    const ended = new Promise((resolve) => process.once("exit", resolve));
    process.kill("SIGTERM");
    await ended;
  }

  async remove() {
    await this.stop();
    await rm(this.data, { recursive: true, force: true });
  }

  /** The code in the newest mail to this address. */
  async mailedCode(to: string): Promise<string> {
    const outbox = path.join(this.data, "outbox");
    let code: string | undefined;
    await until(async () => {
      const names = (await readdir(outbox).catch(() => [])).filter((name) => name.endsWith(".eml")).sort();
      for (const name of names.reverse()) {
        const mail = await readFile(path.join(outbox, name), "utf8");
        code = mail.includes(to) ? mail.split(/\r?\n\r?\n/).slice(1).join("\n").match(/\b\d{6}\b/)?.[0] : undefined;
        if (code) return true;
      }
      return false;
    });
    return code!;
  }
}

async function until(done: () => Promise<boolean>) {
  const end = Date.now() + 10_000;
  while (!(await done())) {
    if (Date.now() > end) throw new Error("it did not happen within 10 s");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The first of some free ports in a row. */
export async function freePorts(): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const base = 20_000 + Math.floor(Math.random() * 30_000);
    const ports = Array.from({ length: REGIONS }, (_, i) => base + i);
    if ((await Promise.all(ports.map(isFree))).every(Boolean)) return base;
  }
  throw new Error("no free ports");
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = net.createServer();
    probe.once("error", () => resolve(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });
}
