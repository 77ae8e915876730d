// Writes a Brotli and a gzip copy beside each file of a release build, so that a server only has to send them.
// trunk runs it after a build, by `finish.mjs`.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

const compressible = new Set(['.css', '.html', '.js', '.json', '.svg', '.txt', '.wasm', '.webmanifest'])
/** Below this many bytes a header costs more than compression saves. */
const tooSmall = 256
/** Whoever hosts the console writes these anew, and a copy would tell what they were. */
const changing = new Set(['config.json'])

function compress(file) {
  const plain = readFileSync(file)
  if (plain.length < tooSmall) return
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
    [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
    [constants.BROTLI_PARAM_SIZE_HINT]: plain.length,
  }
  for (const [ending, bytes] of [
    ['.br', brotliCompressSync(plain, { params })],
    ['.gz', gzipSync(plain, { level: constants.Z_BEST_COMPRESSION })],
  ]) {
    if (bytes.length < plain.length) writeFileSync(file + ending, bytes)
  }
}

const { TRUNK_PROFILE: profile, TRUNK_STAGING_DIR: folder } = process.env
if (profile === 'release' && folder) {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const wanted = entry.isFile() && compressible.has(extname(entry.name)) && !changing.has(entry.name)
    if (wanted) compress(join(entry.parentPath, entry.name))
  }
}
