// Hosts that serve the built console as a folder: Debian's nginx with the file from deploy/, and one that knows no
// rewrites and answers 404.html for what it does not find.

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import http from "node:http";
import os from "node:os";
import path from "node:path";

const REPOSITORY = path.resolve(import.meta.dirname, "../..");
const NGINX = process.env.NGINX ?? "/usr/sbin/nginx";
const DIST = process.env.KEYGATE_CONSOLE_DIR ?? path.join(REPOSITORY, "dist");

export type Backend = { name?: string; url: string };

/** A folder with the console at `place`, such as `/` or `/tools/keygate/`. */
export class Site {
  private static readonly all: Site[] = [];
  private stops: (() => Promise<unknown>)[] = [];

  private constructor(
    readonly port: number,
    readonly place: string,
    readonly folder: string,
  ) {}

  static async nginx(port: number, place: string, backends: Backend[] | string) {
    const site = await Site.folder(port, place, backends);
    await site.startNginx(Array.isArray(backends) ? backends : []);
    return site;
  }

  static async fallback(port: number, place: string, backends: Backend[]) {
    const site = await Site.folder(port, place, backends);
    await site.startFallback();
    return site;
  }

  /** Where the console begins, with a slash at its end. */
  get url() {
    return `http://127.0.0.1:${this.port}${this.place}`;
  }

  /** What the host wrote down of its requests. */
  async log() {
    return readFile(path.join(this.folder, "access.log"), "utf8").catch(() => "");
  }

  static async removeAll() {
    for (const site of Site.all.splice(0)) await site.remove();
  }

  /** It can be called again: the port is free then. */
  async remove() {
    for (const stop of this.stops.splice(0)) await stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  private static async folder(port: number, place: string, backends: Backend[] | string) {
    const folder = await mkdtemp(path.join(os.tmpdir(), "keygate-static-"));
    const console = path.join(folder, "www", place);
    await mkdir(path.dirname(console), { recursive: true });
    await cp(DIST, console, { recursive: true });
    await writeFile(path.join(console, "config.json"), typeof backends === "string" ? backends : JSON.stringify({ backends }));
    const site = new Site(port, place, folder);
    Site.all.push(site);
    return site;
  }

  private async startNginx(backends: Backend[]) {
    let text = await readFile(path.join(REPOSITORY, "deploy/nginx-static.conf"), "utf8");
    const put = (what: string | RegExp, instead: string) => {
      const before = text;
      text = text.replace(what, () => instead);
      if (text === before && what !== instead) throw new Error(`deploy/nginx-static.conf: there is no ${what}`);
    };
    put("listen 443 ssl;", `listen 127.0.0.1:${this.port};`);
    put(/ssl_certificate .*\n\s*ssl_certificate_key .*\n\s*ssl_protocols .*\n/, "");
    put("/var/log/nginx/keygate-static.log", `${this.folder}/access.log`);
    put("root /srv/keygate;", `root ${this.folder}/www;`);
    put("https://keygate.example.com; frame", `${backends.map(({ url }) => url).join(" ")}; frame`);
    put("location / {", `location ${this.place} {`);
    put("$uri /index.html;", `$uri ${this.place}index.html;`);
    put(/server \{\s*listen 80;[^}]*\}/, "");
    // What Debian's nginx.conf has around it.
    const around = `
      daemon off; worker_processes 1; pid ${this.folder}/nginx.pid; error_log ${this.folder}/error.log;
      events {}
      http {
        include /etc/nginx/mime.types; default_type application/octet-stream;
        ${["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((what) => `${what}_temp_path ${this.folder}/temp;`).join(" ")}
        ${text}
      }`;
    const file = path.join(this.folder, "nginx.conf");
    await writeFile(file, around);
    // Started as root it would look for a user who can read this folder.
    const user = process.getuid?.() === 0 ? ["-g", "user root;"] : [];
    const nginx = spawn(NGINX, ["-c", file, "-e", path.join(this.folder, "error.log"), ...user], { stdio: "inherit" });
    this.stops.push(() => ended(nginx));
    await answers(this.url, () => nginx.exitCode === null);
  }

  private async startFallback() {
    const root = path.join(this.folder, "www");
    const types: Record<string, string> = { html: "text/html", js: "text/javascript", css: "text/css", wasm: "application/wasm", svg: "image/svg+xml", json: "application/json" };
    const send = async (answer: http.ServerResponse, status: number, file: string) => {
      answer.writeHead(status, { "content-type": types[path.extname(file).slice(1)] ?? "text/plain" });
      answer.end(await readFile(file));
    };
    const server = http.createServer((request, answer) => {
      const { pathname } = new URL(request.url!, this.url);
      const file = path.join(root, pathname, pathname.endsWith("/") ? "index.html" : "");
      const found = file.startsWith(root) && existsSync(file) && statSync(file).isFile();
      void send(answer, found ? 200 : 404, found ? file : path.join(root, this.place, "404.html"));
    });
    await new Promise<void>((resolve) => server.listen(this.port, "127.0.0.1", resolve));
    this.stops.push(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
  }
}

async function ended(process: ChildProcess) {
  if (process.exitCode !== null) return;
  const exit = new Promise((resolve) => process.once("exit", resolve));
  process.kill("SIGTERM");
  await exit;
}

async function answers(url: string, lives: () => boolean) {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if (!lives()) throw new Error("nginx ended");
    if (await fetch(url).then((answer) => answer.ok, () => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`${url} does not answer`);
}
