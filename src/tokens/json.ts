// JSON as it was written: numbers keep their digits (`1` is not `1.0`), objects keep the order of their keys, whatever the keys are
// (JavaScript's own objects put "2" before "b", and lose `__proto__`). Pure.

/** A number with the digits that it came with. */
export class JsonNumber {
  readonly source: string

  /** `source`: a JSON number. */
  constructor(source: string) {
    this.source = source
  }
}

export type JsonObject = ReadonlyMap<string, JsonValue>
export type JsonValue = null | boolean | string | JsonNumber | readonly JsonValue[] | JsonObject

/** Throws SyntaxError for what is no JSON. Of a key that comes twice the last value counts. */
export declare function parseJson(text: string): JsonValue

/** Compact text; what parseJson read comes out with the same numbers and the same order. */
export declare function writeJson(value: JsonValue): string

/**
 * Equality as the original compares (Clojure's `=`): maps whatever their order, whole numbers by value, decimals by value as doubles,
 * a whole number never with a decimal (`1`, `1.0`).
 */
export declare function equalJson(a: JsonValue, b: JsonValue): boolean
