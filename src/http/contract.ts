// The document as types: what a handler is given and what it may answer. A handler that is missing, or that answers what
// its operation does not declare, does not compile.
import type { operations } from '../../generated/openapi.ts'
import type { OperationId, QueryDefaults } from '../../generated/routes.ts'
import type { Scope } from '../config/schema.ts'
import type { Caller } from './auth/authenticator.ts'

type Place<Id extends OperationId, Name extends 'query' | 'header' | 'path'> = Exclude<
  operations[Id]['parameters'][Name & keyof operations[Id]['parameters']],
  undefined
>
type Filled<Query, Names extends PropertyKey> = Query & {
  readonly [Name in Names & keyof Query]-?: Exclude<Query[Name], undefined>
}
type OrNothing<T> = [T] extends [never] ? Record<never, never> : T
type Lowered<Headers> = { readonly [Name in keyof Headers as Lowercase<Name & string>]: Headers[Name] }
/** A body that may be left out is the empty object then. */
type BodyOf<Id extends OperationId> = operations[Id] extends {
  readonly requestBody?: { readonly content: { readonly 'application/json': infer Body } }
}
  ? Body
  : undefined

/** A request that was found to be as the document has it; defaults are filled in, header names are in lower case. */
export interface OperationRequest<Id extends OperationId> {
  readonly query: Filled<Place<Id, 'query'>, QueryDefaults[Id]>
  /** Those of the document, and what content negotiation needs. */
  readonly headers: Lowered<OrNothing<Place<Id, 'header'>>> & { readonly accept?: string | undefined }
  readonly params: Place<Id, 'path'>
  readonly body: BodyOf<Id>
}

type Named<Headers> = {
  readonly [Name in keyof Headers as string extends Name
    ? never
    : Name extends 'X-Request-Id'
      ? never
      : Name]: Headers[Name]
}
type HeadersPart<Headers> =
  Record<never, never> extends Named<Headers>
    ? { readonly headers?: Named<Headers> }
    : { readonly headers: Named<Headers> }
/**
 * JSON is written from `body` by the document's schema; any other text, or JSON that is text already, comes with its `type`.
 * Events come one by one, as they are ready to be sent.
 */
type BodyPart<Content> =
  | ('application/json' extends keyof Content
      ? { readonly body: Content['application/json']; readonly type?: undefined }
      : never)
  | {
      readonly body: string
      readonly type: WithParameters<Exclude<keyof Content, 'application/problem+json' | 'text/event-stream'> & string>
    }
  | ('text/event-stream' extends keyof Content
      ? { readonly body: AsyncIterable<string>; readonly type: WithParameters<'text/event-stream'> }
      : never)
type WithParameters<Type extends string> = Type | `${Type};${string}`
type AnswerWith<Status, Response> = Response extends {
  readonly headers: infer Headers
  readonly content?: infer Content
}
  ? { readonly status: Status } & HeadersPart<Headers> &
      ([Content] extends [undefined] ? { readonly body?: undefined; readonly type?: undefined } : BodyPart<Content>)
  : never
type Declared<Responses> = {
  [Status in keyof Responses]: Status extends number
    ? OnlyProblems<Responses[Status]> extends true
      ? never
      : AnswerWith<Status, Responses[Status]>
    : never
}[keyof Responses]
type OnlyProblems<Response> = Response extends { readonly content: infer Content }
  ? Exclude<keyof Content, 'application/problem+json'> extends never
    ? true
    : false
  : false

/** An answer that the document declares and that is no problem: those are thrown. */
export type Answer<Id extends OperationId> = Declared<operations[Id]['responses']>

/** What a handler can know of the call beside the request. */
export interface Call {
  /** Who calls; undefined where nobody is asked. */
  readonly caller: Caller | undefined
  /** Throws `forbidden` for a caller without this scope; for scopes that depend on what is asked for. */
  require(scope: Scope): void
  /** A signal that aborts when the caller has left or the answer is over, and when the service closes its connections. */
  untilOver(): AbortSignal
}

export type Handler<Id extends OperationId> = (
  request: OperationRequest<Id>,
  call: Call,
) => Answer<Id> | Promise<Answer<Id>>

/** One handler for every operation of the document. */
export type Handlers = { readonly [Id in OperationId]: Handler<Id> }
