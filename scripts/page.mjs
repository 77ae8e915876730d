// Takes the addresses of files out of index.html: `static/boot.js` asks for them where the console stands. Writes a
// copy as 404.html, for hosts that answer it in place of every page. trunk runs it after a build, by `finish.mjs`.
import { createHash } from 'node:crypto'
import { copyFileSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const { TRUNK_PROFILE: profile, TRUNK_STAGING_DIR: folder } = process.env
const index = join(folder, 'index.html')
let html = readFileSync(index, 'utf8')

/** Takes what matches out of the page, and returns its one group. */
function take(what, pattern) {
  const found = pattern.exec(html)
  if (!found) throw new Error(`index.html: trunk wrote no ${what}`)
  html = html.replace(found[0], '')
  return found[1]
}

function fill(placeholder, text) {
  if (!html.includes(placeholder)) throw new Error(`index.html: there is no ${placeholder}`)
  html = html.replace(placeholder, () => text)
}

const files = {
  css: take('stylesheet', /<link rel="stylesheet" href="\/([^"]+)"[^>]*>\n?/),
  js: take('preloaded module', /<link rel="modulepreload" href="\/([^"]+)"[^>]*>\n?/),
  wasm: take('preloaded program', /<link rel="preload" href="\/([^"]+\.wasm)"[^>]*>\n?/),
}
const icon = take('icon', /<link rel="icon" href="\/([^"]+)"[^>]*>\n?/)
take('start of the program', /<script type="module">\s*(import init[^]*?)<\/script>\n?/)

fill('FILES', JSON.stringify(files))
// What explains the script stays in its source.
html = html.replace(/(<script>)([^]*?)(<\/script>)/, (_, open, script, close) => {
  const dense = script.replace(/^\s*(\/\/.*|\/\*\*.*\*\/)?\n/gm, '').replace(/^\s+/gm, '')
  return open + dense + close
})
// The icon stands in the page: one that comes later has the browser ask for `/favicon.ico` in the meantime.
const drawn = readFileSync(join(folder, icon)).toString('base64')
fill('</title>', `</title>\n  <link rel="icon" type="image/svg+xml" href="data:image/svg+xml;base64,${drawn}">`)
unlinkSync(join(folder, icon))
// Without scripts there is no program, but its words stand in order where the address is the console's start.
fill('</head>', `<noscript><link rel="stylesheet" href="./${files.css}"></noscript>\n</head>`)

if (profile === 'release') {
  // For hosts that send no policy of their own. Which backends there are is not known yet, so it allows any.
  const hashes = [...html.matchAll(/<script>([^]*?)<\/script>/g)]
    .map(([, script]) => `'sha256-${createHash('sha256').update(script).digest('base64')}'`)
    .join(' ')
  const policy =
    `default-src 'none'; script-src 'self' 'wasm-unsafe-eval' ${hashes}; style-src 'self'; img-src 'self' data:; ` +
    `font-src 'self'; connect-src 'self' https: http:; manifest-src 'self'; form-action 'self'; base-uri 'none'`
  fill('<meta charset="utf-8">', `<meta charset="utf-8">\n  <meta http-equiv="Content-Security-Policy" content="${policy}">`)
}

writeFileSync(index, html)
copyFileSync(index, join(folder, '404.html'))
