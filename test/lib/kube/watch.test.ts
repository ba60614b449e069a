import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createKubeClient, type KubeClient, type KubeStream } from '../../../src/lib/kube/client.ts'
import { createGivenCredentials } from '../../../src/lib/kube/credentials.ts'
import type { Selection } from '../../../src/lib/kube/list.ts'
import type { KubeObject } from '../../../src/lib/kube/object.ts'
import { createKubeWatch, type KubeWatch } from '../../../src/lib/kube/watch.ts'
import { bookmarkLine, FakeKubeApi, type WatchListSupport } from '../../fakes/kube-api.ts'
import { makeCa } from '../../lib/certificates.ts'
import { eventually } from '../../lib/eventually.ts'
import { FakeClock } from '../../lib/fake-clock.ts'

const PATH = '/api/v1/namespaces/shop/pods'
const SELECTOR = 'app=gw'
/** Any pause after the first failure is shorter. */
const FIRST_PAUSE_MS = 101

let api: FakeKubeApi
let clock: FakeClock
let client: KubeClient
let watch: KubeWatch<KubeObject>
/** Every state that was shown, as names. */
let shown: string[][]
let token: string
let ca: string

beforeEach(async () => {
  api = await FakeKubeApi.start()
  api.define(PATH)
  clock = new FakeClock()
  shown = []
  token = api.token
  ca = api.ca.cert
  client = createKubeClient({ credentials: credentials(), clock })
})

afterEach(async () => {
  await watch.stop()
  expect(clock.pending).toBe(0)
  await client[Symbol.asyncDispose]()
  await eventually(() => api.openSockets === 0)
  await api[Symbol.asyncDispose]()
  expect(api.unexpected).toEqual([])
})

/** Read anew at each request, as files are. */
function credentials() {
  return {
    namespace: 'shop',
    access: () => createGivenCredentials({ server: api.origin, ca, token: () => token }).access(),
    reject: () => undefined,
  }
}

const pod = (name: string, labels: Record<string, string> = { app: 'gw' }): KubeObject => ({
  metadata: { name, labels },
})

function follow(target: Selection = { path: PATH, labelSelector: SELECTOR }, random = () => 0.999): void {
  watch = createKubeWatch({ client, clock, random, target })
  watch.start((items) => shown.push(items.map((item) => item.metadata.name).sort()))
}

async function shows(...names: string[]): Promise<void> {
  const text = names.join()
  await eventually(
    () =>
      watch.items !== undefined &&
      watch.items
        .map((item) => item.metadata.name)
        .sort()
        .join() === text,
  )
}

/** Between two attempts: pauses are shorter than any time that is given to an answer. */
const isPaused = () => clock.pending === 1 && (clock.nextAt ?? 0) - clock.now() < 9_995

/** The next attempt, after a pause of the clock. */
async function nextWatch(pauseMs = FIRST_PAUSE_MS): Promise<void> {
  const before = api.watches(PATH).length
  await eventually(isPaused)
  await clock.advance(pauseMs)
  await eventually(() => api.watches(PATH).length > before)
}

describe('a watch of a healthy server', () => {
  it('shows the whole state at once, then every change', async () => {
    api.put(PATH, pod('a'))
    api.put(PATH, pod('b'))
    follow()
    await shows('a', 'b')
    api.put(PATH, pod('c'))
    await shows('a', 'b', 'c')
    api.remove(PATH, 'a')
    await shows('b', 'c')
    expect(shown).toEqual([
      ['a', 'b'],
      ['a', 'b', 'c'],
      ['b', 'c'],
    ])
    expect(watch.problem).toBeUndefined()
  })

  it('shows a state that is empty', async () => {
    follow()
    await shows()
    expect(shown).toEqual([[]])
  })

  it('sees only what the selector selects', async () => {
    api.put(PATH, pod('other', { app: 'web' }))
    api.put(PATH, pod('a'))
    follow()
    await shows('a')
    expect(api.watches(PATH)[0]?.query.get('labelSelector')).toBe(SELECTOR)
  })

  it('asks for a watch-list with bookmarks, and to be ended at a moment of its own', async () => {
    follow({ path: PATH, labelSelector: SELECTOR }, () => 0.5)
    await shows()
    expect(Object.fromEntries(api.watches(PATH)[0]?.query ?? [])).toEqual({
      labelSelector: SELECTOR,
      watch: 'true',
      allowWatchBookmarks: 'true',
      timeoutSeconds: '450',
      sendInitialEvents: 'true',
      resourceVersionMatch: 'NotOlderThan',
    })
    expect(api.lists(PATH)).toEqual([])
  })

  it('follows one object by its name, and its absence', async () => {
    api.put(PATH, pod('other'))
    follow({ path: PATH, name: 'a' })
    await shows()
    api.put(PATH, pod('a'))
    await shows('a')
    api.remove(PATH, 'a')
    await shows()
    expect(api.watches(PATH)[0]?.query.get('fieldSelector')).toBe('metadata.name=a')
  })

  it('counts a bookmark as a sign of life', async () => {
    follow()
    await shows()
    await clock.advance(60_000)
    expect(watch.lastContactAt).toBe(0)
    api.bookmark()
    await eventually(() => watch.lastContactAt === 60_000)
    expect(shown).toHaveLength(1)
  })

  it('understands lines that come in pieces, through the middle of a character', async () => {
    api.chunkBytes = 3
    api.put(PATH, pod('grün-été-🦊'))
    follow()
    await shows('grün-été-🦊')
  })

  it('goes on when the server ends the watch in good order', async () => {
    api.put(PATH, pod('a'))
    follow()
    await shows('a')
    await clock.advance(400_000 / 10)
    api.closeWatches()
    await eventually(isPaused)
    expect(watch.problem).toBeUndefined()
    api.put(PATH, pod('b'))
    await nextWatch()
    await shows('a', 'b')
  })
})

describe('a watch of a server that fails', () => {
  it.each<[string, () => void]>([
    ['is cut', () => api.resetWatches()],
    ['is closed', () => api.closeWatches()],
    [
      'breaks off in the middle of a line',
      () => {
        api.write('{"type":"ADDED","obj')
        api.closeWatches()
      },
    ],
    ['tells a line that is not JSON', () => api.write('<html>504</html>\n')],
    ['tells an event of an unknown type', () => api.write('{"type":"RENAMED","object":{}}\n')],
    ['tells an object without a name', () => api.write('{"type":"ADDED","object":{"metadata":{}}}\n')],
    ['tells that its revision expired', () => api.errorEvent(410, 'too old resource version: 1 (2)')],
    ['tells an error', () => api.errorEvent(500)],
  ])('knows all that happened meanwhile when it %s', async (_, break_) => {
    api.put(PATH, pod('a'))
    api.put(PATH, pod('b'))
    follow()
    await shows('a', 'b')
    break_()
    await eventually(isPaused)
    api.remove(PATH, 'a')
    api.put(PATH, pod('c'))
    await nextWatch()
    await shows('b', 'c')
    // Never half filled, nor empty on the way.
    expect(shown).toEqual([
      ['a', 'b'],
      ['b', 'c'],
    ])
    expect(watch.problem).toBeUndefined()
  })

  it('tells the problem, keeps the state and ages until the server is back', async () => {
    api.put(PATH, pod('a'))
    follow()
    await shows('a')
    await clock.advance(20_000)
    api.fault = () => ({ status: 500 })
    api.resetWatches()
    await nextWatch()
    await eventually(() => watch.problem?.includes('answered 500') === true)
    expect(watch.items).toHaveLength(1)
    expect(watch.lastContactAt).toBe(0)
    api.fault = () => undefined
    await nextWatch(1_000)
    await eventually(() => watch.problem === undefined)
    expect(shown).toEqual([['a']])
    expect(watch.lastContactAt).toBe(clock.now())
  })

  it('gives up a stream that is silent for longer than bookmarks take', async () => {
    api.put(PATH, pod('a'))
    follow()
    await shows('a')
    await watch.read(500)
    expect(api.openSockets).toBe(2)
    api.muted = true
    await clock.advance(74_000)
    expect(api.openWatches).toBe(1)
    await clock.advance(16_000)
    // The idle connection may be as dead as the silent one: it is not used again.
    await eventually(() => api.openSockets === 0)
    expect(watch.problem).toMatch(/silent for 90 s/)
    api.muted = false
    api.put(PATH, pod('b'))
    await nextWatch()
    await shows('a', 'b')
  })

  it('does not call a stream silent that has bookmarks', async () => {
    follow()
    await shows()
    for (let minute = 1; minute <= 5; minute++) {
      await clock.advance(60_000)
      api.bookmark()
      await eventually(() => watch.lastContactAt === clock.now())
    }
    expect(api.watches(PATH)).toHaveLength(1)
  })

  it('gives up a server that accepts and says nothing, then tries again', async () => {
    api.fault = () => 'silent'
    follow()
    await eventually(() => api.seen.length === 1)
    await clock.advance(10_000)
    await eventually(() => watch.problem !== undefined)
    expect(watch.problem).toBe(`GET ${PATH} was not answered within 10000 ms`)
    expect(watch.items).toBeUndefined()
    api.fault = () => undefined
    await nextWatch()
    await shows()
  })

  it.each([
    ['a time', { 'retry-after': '7' }, 7_000],
    ['no time', {}, 0],
  ])('waits as long as a 429 asks for: %s', async (_, headers: Record<string, string>, leastMs) => {
    api.fault = () => ({ status: 429, body: 'Too many requests, please try again later.\n', headers })
    follow()
    await eventually(() => watch.problem !== undefined)
    expect(watch.problem).toBe(`GET ${PATH} was answered 429: Too many requests, please try again later.`)
    api.fault = () => undefined
    await clock.advance(leastMs - 1)
    expect(api.seen).toHaveLength(1)
    await nextWatch()
    await shows()
  })

  it('takes a new token as soon as the old one is refused', async () => {
    follow()
    await shows()
    api.token = 'token-2'
    api.resetWatches()
    await eventually(isPaused)
    // The file changes between the refusal and the second try.
    api.fault = ({ authorization }) => {
      if (authorization === 'Bearer token-1') token = 'token-2'
      return undefined
    }
    await nextWatch()
    await eventually(() => watch.problem === undefined)
    expect(api.seen.map((one) => one.authorization)).toEqual(['Bearer token-1', 'Bearer token-1', 'Bearer token-2'])
  })

  it('takes a new authority as soon as the server shows a certificate of it', async () => {
    follow()
    await shows()
    const next = await makeCa('The next Kube CA')
    await api.rotateCertificate(next)
    api.cutConnections()
    await eventually(isPaused)
    await clock.advance(FIRST_PAUSE_MS)
    await eventually(() => watch.problem?.includes('certificate') === true)
    ca = next.cert
    await nextWatch(201)
    await eventually(() => watch.problem === undefined)
  })

  it('shows what a server tells that was restored to an older revision', async () => {
    api.put(PATH, pod('a'))
    api.put(PATH, pod('b'))
    follow()
    await shows('a', 'b')
    api.remove(PATH, 'b')
    await shows('a')
    api.restore(5)
    api.put(PATH, pod('c'))
    api.resetWatches()
    await nextWatch()
    await shows('a', 'c')
  })

  it.each<[string, () => void]>([
    [
      'closes every watch at once',
      () => {
        api.fault = () => 'close-at-once'
      },
    ],
    [
      'cuts every connection',
      () => {
        api.fault = () => 'reset'
      },
    ],
    [
      'answers everything with 500',
      () => {
        api.fault = () => ({ status: 500 })
      },
    ],
    [
      'answers what is not HTTP',
      () => {
        api.fault = () => 'not-http'
      },
    ],
  ])('is not hammered when it %s', async (_, break_) => {
    break_()
    follow()
    const pauses: number[] = []
    while (pauses.length < 9) {
      await eventually(isPaused)
      pauses.push((clock.nextAt ?? 0) - clock.now())
      await nextWatch(pauses.at(-1))
    }
    expect(pauses).toEqual([100, 200, 400, 800, 1599, 3197, 6394, 9990, 9990])
    expect(api.seen).toHaveLength(10)
    expect(watch.problem).toBeDefined()
  })
})

describe('a watch of a server without watch-list', () => {
  it.each<WatchListSupport>([422, 400, 'error-event'])(
    'lists and watches from there, and remembers it (%s)',
    async (support) => {
      api.watchList = support
      api.put(PATH, pod('a'))
      follow()
      await shows('a')
      await eventually(() => api.openWatches === 1)
      api.put(PATH, pod('b'))
      await shows('a', 'b')
      expect(clock.now()).toBe(0)
      expect(api.watches(PATH).at(-1)?.query.get('resourceVersion')).toBe('101')
      api.watchList = 'yes'
      api.resetWatches()
      await eventually(isPaused)
      api.remove(PATH, 'a')
      await nextWatch()
      await shows('b')
      expect(api.lists(PATH)).toHaveLength(2)
      expect(api.watches(PATH).at(-1)?.query.has('sendInitialEvents')).toBe(false)
    },
  )

  it('lists where the end of the first part never comes', async () => {
    api.watchList = 'never-ends'
    api.put(PATH, pod('a'))
    follow()
    await eventually(() => api.openWatches === 1 && clock.nextAt === 15_000)
    expect(watch.items).toBeUndefined()
    await clock.advance(15_000)
    await shows('a')
  })

  it('goes back to the watch-list when it was only a bad moment', async () => {
    api.watchList = 'error-event'
    api.fault = ({ isWatch }) => (isWatch ? undefined : { status: 503 })
    follow()
    await eventually(() => watch.problem?.includes('503') === true)
    api.watchList = 'yes'
    await nextWatch()
    await shows()
  })

  it('reads page by page, and shows only the whole', async () => {
    api.watchList = 422
    api.pageSize = 2
    for (const name of ['a', 'b', 'c', 'd', 'e']) api.put(PATH, pod(name))
    follow()
    await shows('a', 'b', 'c', 'd', 'e')
    expect(api.lists(PATH)).toHaveLength(3)
    expect(shown).toHaveLength(1)
  })

  it('begins again when the pages expire under way', async () => {
    api.watchList = 422
    api.pageSize = 1
    api.put(PATH, pod('a'))
    api.put(PATH, pod('b'))
    api.beforeListAnswer = () => {
      api.beforeListAnswer = () => undefined
      api.put(PATH, pod('c'))
      api.compact()
    }
    follow()
    await eventually(() => watch.problem?.includes('410') === true)
    await nextWatch()
    await shows('a', 'b', 'c')
  })

  it('misses nothing between the list and the watch', async () => {
    api.watchList = 422
    api.put(PATH, pod('a'))
    api.beforeListAnswer = () => {
      api.beforeListAnswer = () => undefined
      api.put(PATH, pod('b'))
      api.remove(PATH, 'a')
    }
    follow()
    await shows('b')
  })

  it('lists anew when the revision of the list has expired before the watch began', async () => {
    api.watchList = 422
    api.put(PATH, pod('a'))
    api.beforeListAnswer = () => {
      api.beforeListAnswer = () => undefined
      api.put(PATH, pod('b'))
      api.compact()
    }
    follow()
    await eventually(() => watch.problem?.includes('too old resource version') === true)
    await nextWatch()
    await shows('a', 'b')
  })

  it('follows one object that has rested for longer than the history reaches, without listing', async () => {
    api.watchList = 422
    api.put(PATH, pod('a'))
    api.put(PATH, pod('z'))
    api.compact()
    follow({ path: PATH, name: 'a' })
    await shows('a')
    api.remove(PATH, 'a')
    await shows()
    expect(api.lists(PATH)).toEqual([])
    expect(watch.problem).toBeUndefined()
  })

  it('sees one object go between the opening of the stream and the reading', async () => {
    api.watchList = 422
    api.put(PATH, pod('a'))
    api.beforeListAnswer = () => {
      api.beforeListAnswer = () => undefined
      api.remove(PATH, 'a')
    }
    follow({ path: PATH, name: 'a' })
    await eventually(() => shown.length > 0)
    await shows()
  })
})

describe('a read beside the watch', () => {
  it('shows what the stream has not told', async () => {
    follow()
    await shows()
    api.muted = true
    api.put(PATH, pod('a'))
    await watch.read(500)
    expect(shown).toEqual([[], ['a']])
  })

  it('does not go back when the stream was faster', async () => {
    follow()
    await shows()
    api.beforeListAnswer = async () => {
      api.put(PATH, pod('a'))
      await shows('a')
    }
    await watch.read(500)
    expect(shown).toEqual([[], ['a']])
  })

  it('does not go back when the stream tells old news afterwards', async () => {
    follow()
    await shows()
    const old = api.put(PATH, pod('a'))
    await shows('a')
    api.muted = true
    api.remove(PATH, 'a')
    await watch.read(500)
    api.muted = false
    api.write(`${JSON.stringify({ type: 'MODIFIED', object: old })}\n`)
    api.put(PATH, pod('b'))
    await shows('b')
    expect(shown).toEqual([[], ['a'], [], ['b']])
  })

  it('gives up in time, and changes nothing', async () => {
    follow()
    await shows()
    api.fault = ({ isWatch }) => (isWatch ? undefined : 'silent')
    const read = watch.read(500)
    const failed = expect(read).rejects.toMatchObject({ code: 'timeout' })
    await eventually(() => api.lists(PATH).length === 1)
    await clock.advance(500)
    await failed
    expect(shown).toEqual([[]])
    // The watch itself goes on.
    api.put(PATH, pod('a'))
    await shows('a')
  })
})

describe('a watch that is stopped', () => {
  it('tells nothing any more, even when the news is already here', async () => {
    follow()
    await shows()
    const { promise: news, resolve } = Promise.withResolvers<void>()
    const stream: KubeStream = {
      chunks: (async function* () {
        await news
        yield Buffer.from(bookmarkLine(1, true))
      })(),
      abort: () => undefined,
      [Symbol.dispose]: () => undefined,
    }
    const other = createKubeWatch({
      client: { ...client, stream: async () => stream },
      clock,
      random: () => 0,
      target: { path: PATH },
    })
    let calls = 0
    other.start(() => calls++)
    await clock.advance(0)
    const stopped = other.stop()
    resolve()
    await stopped
    expect(calls).toBe(0)
  })

  it.each<[string, () => Promise<void>]>([
    ['before the answer', async () => {}],
    ['while it follows', () => shows()],
    [
      'in a pause',
      async () => {
        api.fault = () => 'reset'
        await eventually(() => watch.problem !== undefined)
      },
    ],
  ])('leaves no timer and no socket: %s', async (_, reach) => {
    follow()
    await reach()
    const calls = shown.length
    await watch.stop()
    expect(clock.pending).toBe(0)
    await eventually(() => api.openWatches === 0)
    api.put(PATH, pod('late'))
    await watch.stop()
    expect(shown).toHaveLength(calls)
  })
})
