// Puts console.css and all it imports into one stylesheet: one request, and no `@import` for the browser to follow.
// usage: node style/bundle.mjs OUTPUT
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

const read = (file) => readFileSync(new URL(file, import.meta.url), "utf8").replace(/\/\*.*?\*\//gs, "");
const dense = (css) => css.replace(/\n\s*/g, "\n").trim();

const imports = /@import url\("([^"]+)"\) layer\(([^)]+)\);/g;
const bundle = read("console.css").replace(imports, (_, file, layer) => `@layer ${layer} {\n${read(file)}\n}`);
if (bundle.includes("@import")) throw new Error("console.css: an @import is not of the form url(…) layer(…)");

const output = process.argv[2];
mkdirSync(dirname(output), { recursive: true });
writeFileSync(output, `${dense(bundle)}\n`);
