// What a key press costs in the console with 2,000 models: in the selector's search and on its rows, and in the drawer
// of a workspace that may call all of them. The figures are the browser's own, the worst of each round: `work` is what
// the program does at a press; `task` is the longest task of more than 50 ms; `gap` is the longest time between two
// frames, 17 when none was missed. `event` is the median time from a press to the paint after it, in steps of 8 ms, of
// those that took 16 or more; the browser tells some of the first ones late.
//
//   make bench-console
//
// KEYGATE_BIN, KEYGATE_CONSOLE_DIR and CHROMIUM as in the browser tests. MODELS and ROUNDS change what is measured.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'

const root = path.resolve(import.meta.dirname, '..')
const { chromium } = createRequire(path.join(root, 'tests/e2e/package.json'))('@playwright/test')
const binary = process.env.KEYGATE_BIN ?? path.join(root, 'target/release/keygate')
const count = Number(process.env.MODELS ?? 2000)
const rounds = Number(process.env.ROUNDS ?? 3)
const port = Number(process.env.PORT ?? 19400)
const region = 'ap-southeast-1'
const work = mkdtempSync(path.join(tmpdir(), 'keygate-keystroke-'))

// Vendors, types and names as in a large installation: prefixes that many names share.
const vendors = ['Qwen', 'DeepSeek', 'GLM', 'Kimi', 'MiniMax', 'Wan', 'Llama', 'Mistral']
const types = ['text', 'vision', 'embedding', 'image']
const models = Array.from({ length: count }, (_, i) => {
  const [vendor, type] = [vendors[i % vendors.length], types[i % types.length]]
  const tpm = type === 'image' ? '' : '\ntpm = 1000000'
  return `[[models]]\nid = "${vendor.toLowerCase()}/${type}-large-instruct-${i}"\nvendor = "${vendor}"\ntype = "${type}"\nrpm = 600${tpm}\n`
})
const config = path.join(work, 'keygate.toml')
writeFileSync(config, `listen = "127.0.0.1:${port}"\ndata_dir = "${work}/data"\nshipped_models = false\n${models.join('')}`)

const server = spawn(binary, ['serve', '--config', config], { env: { KEYGATE_LOG: 'warn', ...process.env }, stdio: ['ignore', 'pipe', 'inherit'] })
let browser
try {
  const link = await new Promise((resolve, reject) => {
    let out = ''
    server.once('exit', (code) => reject(new Error(`keygate ended with ${code}`)))
    server.stdout.on('data', (text) => {
      out += text
      if (out.split('Gateway: ').length > 3 && out.includes('Sign in: ')) resolve(out.match(/Sign in: (\S+)/)[1])
    })
  })
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] })
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } })
  await page.addInitScript(() => {
    window.seen = { events: [], tasks: [], frames: [] }
    // Asked for each frame, the browser draws them all: a gap between two of them is one that it missed.
    const draw = (at) => {
      window.seen.frames.push(at)
      requestAnimationFrame(draw)
    }
    requestAnimationFrame(draw)
    new PerformanceObserver((list) => window.seen.events.push(...list.getEntries().map(({ startTime, duration, processingStart, processingEnd }) => ({ at: startTime, duration, work: processingEnd - processingStart })))).observe({ type: 'event', durationThreshold: 16 })
    new PerformanceObserver((list) => window.seen.tasks.push(...list.getEntries().map((task) => task.duration))).observe({ type: 'longtask' })
  })
  await page.goto(link)
  await page.getByRole('link', { name: 'Default workspace', exact: true }).waitFor()

  const api = (method, path, body) =>
    page.evaluate(
      async ([method, path, body]) => {
        const answer = await fetch(`/console/v1/regions/${path}`, { method, body, headers: body ? { 'content-type': 'application/json' } : {} })
        if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
        return answer.json()
      },
      [method, `${region}/${path}`, body && JSON.stringify(body)],
    )
  const all = []
  for (let token = ''; token !== null; ) {
    const list = await api('GET', `models?page_size=100${token && `&page_token=${encodeURIComponent(token)}`}`)
    all.push(...list.items)
    token = list.next_page_token
  }
  const grants = all.map(({ id, tpm }) => ({ model: id, rpm: 60, tpm: tpm === null ? null : 1000 }))
  const full = await api('POST', 'workspaces', { name: 'Full' })
  await api('PATCH', `workspaces/${full.id}`, { grants })
  const empty = await api('POST', 'workspaces', { name: 'Empty' })

  const figures = []
  /** Does something and keeps the worst that was seen of it. */
  async function measure(what, act) {
    for (let round = 0; round < rounds; round += 1) {
      await page.waitForTimeout(400)
      const since = await page.evaluate(() => ((window.seen = { events: [], tasks: [], frames: [] }), performance.now()))
      await act(round)
      await page.waitForTimeout(500)
      const { events: all, tasks, frames } = await page.evaluate(() => window.seen)
      const events = all.filter((event) => event.at >= since)
      const worst = (of) => Math.max(0, ...of)
      const gaps = frames.slice(1).map((at, i) => at - frames[i])
      const ms = (of) => Number(of.toFixed(1))
      const median = events.map((e) => e.duration).sort((a, b) => a - b)[events.length >> 1] ?? 0
      figures.push({ what, round: round + 1, 'work, ms': ms(worst(events.map((e) => e.work))), 'task, ms': worst(tasks), 'gap, ms': ms(worst(gaps)), 'event, ms': median })
    }
  }
  const openDrawer = async (id) => {
    await page.goto(`http://127.0.0.1:${port}/${region}/workspaces/${id}`)
    await page.getByRole('button', { name: 'Add models' }).waitFor()
  }

  await openDrawer(empty.id)
  await page.getByRole('button', { name: 'Add models' }).click()
  const selector = page.getByRole('dialog', { name: 'Add models' })
  await selector.getByText('Page 1 of').waitFor()
  const search = selector.getByRole('searchbox')
  const clear = async () => (await search.inputValue()) && search.fill('')
  await measure('selector: type in the search', async () => {
    await clear()
    await search.pressSequentially('qwen/text-large', { delay: 60 })
  })
  await search.fill('')
  await selector.getByText(`Page 1 of ${Math.ceil(count / 10)}`).waitFor()
  const rows = async () => {
    await search.press('Enter')
    for (let i = 0; i < 9; i += 1) {
      await page.keyboard.press('Space')
      await page.keyboard.press('ArrowDown')
    }
  }
  await measure('selector: tick rows by keys', rows)
  await measure('selector: turn pages by keys', async () => {
    for (let i = 0; i < 5; i += 1) {
      await page.keyboard.press('PageDown')
      await page.waitForTimeout(80)
    }
  })
  await selector.getByRole('button', { name: /^Select all/ }).click()
  await selector.getByRole('button', { name: 'Clear selection' }).waitFor()
  await measure(`selector: tick rows with ${count} selected`, rows)
  await measure('selector: type with all selected', async () => {
    await clear()
    await search.pressSequentially('deepseek/vision', { delay: 60 })
  })
  await measure('selector: show what is selected, and all again', async () => {
    for (let i = 0; i < 2; i += 1) await selector.getByRole('button', { name: /^Show/ }).press('Enter')
  })

  page.on('dialog', (dialog) => dialog.accept())
  await openDrawer(full.id)
  const limits = page.locator('.grants input')
  await measure(`drawer: type limits, ${count} granted`, async (round) => {
    for (let i = 0; i < 4; i += 1) await limits.nth(i).pressSequentially(`${round}7`, { delay: 60 })
  })
  const filter = page.getByRole('searchbox', { name: 'Filter granted models' })
  await measure(`drawer: filter ${count} granted`, async () => {
    if (await filter.inputValue()) await filter.fill('')
    await filter.pressSequentially('glm/embedding', { delay: 60 })
  })
  console.table(figures)
} finally {
  await browser?.close()
  server.kill()
  rmSync(work, { recursive: true, force: true })
}
