// What the service answers, by the names that the page uses; nothing of it is there at run time.
import type { components } from '../generated/openapi.ts'

type Schemas = components['schemas']

export type Status = Schemas['Status']
export type Scope = Schemas['CallerStatus']['scopes'][number]
export type GatewayStatus = Schemas['GatewayStatus']
export type Replica = Schemas['Replica']
export type UnknownReason = Schemas['UnknownReason']
export type GatewayHistory = Schemas['GatewayHistory']
export type TokenStatus = Schemas['TokenStatus']
export type CheckResult = Schemas['CheckResult']
export type TokensStatus = Schemas['TokensStatus']
export type DbPairStatus = Schemas['DbPairStatus']
export type LeaderStatus = Schemas['LeaderStatus']
export type ScheduleStatus = Schemas['ScheduleStatus']
export type Run = Schemas['Run']
export type RunOutline = Schemas['RunOutline']
export type RunPage = Schemas['RunPage']
export type RunState = Schemas['RunState']
export type RunProgress = Schemas['RunProgress']
export type RunItem = Schemas['RunItem']
export type TokenItem = Schemas['TokenItem']
export type TokenResult = Schemas['TokenResult']
export type DbItem = Schemas['DbItem']
export type DbVerifyItem = Schemas['DbVerifyItem']
export type TokensSummary = Schemas['TokensSummary']
export type DbSummary = Schemas['DbSummary']
export type DbVerifySummary = Schemas['DbVerifySummary']
export type Problem = Schemas['Problem']

/** How something is, beside its word: the colour and the sign follow it. */
export type Tone = 'good' | 'busy' | 'warn' | 'bad' | 'idle'

export interface Word {
  readonly word: string
  readonly tone: Tone
}
