// A page of hits. Its text is cut between hits, and each piece is made into objects when its reader gets there: objects of a whole page
// would outlive the quick collections of garbage, and copying what lives costs as much as reading it. Pure.
import { mayLoseDigits } from '../exact-json.ts'
import { checkHits, checkShards, idOf, objectIn, parseItem } from './answers.ts'
import { readDateValues } from './document-date.ts'
import { BrokenAnswer, cutArray, parseObject, takeArray } from './parts.ts'

export interface Hit {
  readonly id: string
  readonly source: unknown
  /** JSON of the hit; undefined where it loses no digit that anybody minds. */
  readonly text: string | undefined
  readonly dateMs: number | undefined
}

export interface HitPage {
  /** How many were asked for: there are no more where it has fewer. */
  readonly size: number
  /** Exactly where it is short, else about. */
  readonly count: number
  /** Sort values of the last hit. */
  readonly last: readonly unknown[] | undefined
  /** The point in time goes by this id from now on. */
  readonly pit: string | undefined
  /** Length of the answer, about in bytes. */
  readonly length: number
  /** All hits, part by part, read as they are asked for. Throws BrokenAnswer where the middle of the answer is none. */
  parts(): Generator<readonly Hit[], void>
}

export interface HitPageOptions {
  readonly size: number
  /** Of each hit its text is wanted: its fractions matter. */
  readonly hasFractions: boolean
}

/** Characters of a piece. */
const PIECE_LENGTH = 64 * 1_024
/** Where one hit ends and the next one begins. A document may have this in it: then the piece before is no JSON. */
const NEXT_HIT = '},{"_index":'

/** The answer to a search. Throws BrokenAnswer; what is between the beginning and the end is not looked at before parts() is. */
export function readHitPage(text: string, { size, hasFractions }: HitPageOptions): HitPage {
  const { answer, pieces, end } = cutHits(text, hasFractions)
  checkShards(answer, 'hits')
  const [pit, last] = [answer['pit_id'], end.sort]
  return {
    size,
    count: pieces.length === 1 ? end.hits.length : estimateCount(pieces, end.hits.length),
    last: Array.isArray(last) ? last : undefined,
    pit: typeof pit === 'string' ? pit : undefined,
    length: text.length,
    *parts() {
      for (let at = 0; at < pieces.length - 1; at++) {
        const piece = tryReadPiece(pieces[at] ?? '', hasFractions)
        if (piece === undefined) {
          yield readPiece(pieces.slice(at).join(','), hasFractions).hits
          return
        }
        yield piece.hits
      }
      yield end.hits
    },
  }
}

interface CutHits {
  /** Without its hits. */
  readonly answer: Readonly<Record<string, unknown>>
  readonly pieces: readonly string[]
  /** What the last piece holds. */
  readonly end: Piece
}

interface Piece {
  readonly hits: readonly Hit[]
  /** Sort values of the last one. */
  readonly sort: unknown
}

function cutHits(text: string, hasFractions: boolean): CutHits {
  try {
    const { rest, pieces } = cutArray(text, 'hits', { separator: NEXT_HIT, length: PIECE_LENGTH })
    return { answer: parseObject(rest), pieces, end: readPiece(pieces.at(-1) ?? '', hasFractions) }
  } catch (error) {
    if (!(error instanceof BrokenAnswer)) throw error
    // Something comes after the hits that has a list in it.
    const { rest, items } = takeArray(text, 'hits')
    const all = items.join(',')
    return { answer: parseObject(rest), pieces: [all], end: readPiece(all, hasFractions) }
  }
}

function estimateCount(pieces: readonly string[], countOfLast: number): number {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
  return Math.round((length / (pieces.at(-1)?.length ?? length)) * countOfLast)
}

function tryReadPiece(text: string, hasFractions: boolean): Piece | undefined {
  try {
    return readPiece(text, hasFractions)
  } catch (error) {
    if (error instanceof BrokenAnswer) return undefined
    throw error
  }
}

function readPiece(text: string, hasFractions: boolean): Piece {
  return hasFractions || mayLoseDigits(text, false) ? readExactPiece(text) : readPlainPiece(text)
}

/** All at once: what most pieces need. */
function readPlainPiece(text: string): Piece {
  const hits = checkHits(parseArray(`[${text}]`))
  return { hits: hits.map((hit) => readHit(hit, undefined)), sort: hits.at(-1)?.['sort'] }
}

/** One by one, so that the digits of one document cost an exact reading of that document alone. */
function readExactPiece(text: string): Piece {
  let sort: unknown
  const { items } = takeArray(`{"hits":[${text}]}`, 'hits')
  const hits = items.map((item) => {
    const hit = parseItem(item, false)
    sort = hit['sort']
    return readHit(hit, item)
  })
  return { hits, sort }
}

function parseArray(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new BrokenAnswer('the answer is no JSON')
  }
}

function readHit(hit: Readonly<Record<string, unknown>>, text: string | undefined): Hit {
  const dateMs = readDateValues(objectIn(hit, 'fields')['tmstmp'])
  return { id: idOf(hit), source: hit['_source'], text, dateMs }
}
