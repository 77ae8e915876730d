// How much time a hop adds: the same call 50 times a second to the upstream itself and through each hop, in turn, over
// one kept connection each. What is printed is the hop's quantile less the upstream's own.
import http from 'node:http'

const bases = process.argv.slice(2)
const rate = 50
const seconds = Number(process.env.PACE_SECONDS ?? 20)
const body = JSON.stringify({ model: 'qwen-plus', messages: [{ role: 'user', content: 'Hello' }] })

function target(base) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  const headers = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    authorization: `Bearer ${process.env.KEY}`,
  }
  const times = []
  const call = () =>
    new Promise((resolve, reject) => {
      const started = process.hrtime.bigint()
      const request = http.request(`${base}/chat/completions`, { method: 'POST', agent, headers }, (response) => {
        if (response.statusCode !== 200) return reject(new Error(`${base}: ${response.statusCode}`))
        response.resume().on('end', () => {
          times.push(Number(process.hrtime.bigint() - started) / 1e6)
          resolve()
        })
      })
      request.on('error', reject).end(body)
    })
  return { base, call, times, agent }
}

const quantile = (times, q) => times.toSorted((a, b) => a - b)[Math.min(times.length - 1, Math.floor(times.length * q))]

const targets = bases.map(target)
for (let warm = 0; warm < 50; warm++) for (const t of targets) await t.call()
for (const t of targets) t.times.length = 0
const every = 1000 / rate
let next = performance.now()
for (let n = 0; n < rate * seconds; n++) {
  for (const t of targets) await t.call()
  next += every
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, next - performance.now())))
}
const [upstream, ...hops] = targets
for (const [index, hop] of hops.entries()) {
  const added = (q) => (quantile(hop.times, q) - quantile(upstream.times, q)).toFixed(2)
  console.log(`added by ${['nginx', 'keygate'][index]}: p50 ${added(0.5)} ms, p99 ${added(0.99)} ms`)
}
for (const t of targets) t.agent.destroy()
