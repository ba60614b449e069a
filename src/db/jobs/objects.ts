// Jobs and Pods of Kubernetes, as far as they are read here.
import type { KubeObject } from '../../lib/kube/object.ts'

export interface Condition {
  readonly type: string
  readonly status: string
  readonly reason?: string
  readonly message?: string
}

export interface KubeJob extends KubeObject {
  readonly spec?: {
    readonly suspend?: boolean
    readonly completions?: number
    readonly backoffLimitPerIndex?: number
    readonly podReplacementPolicy?: string
    readonly template?: PodTemplate
  }
  readonly status?: {
    readonly conditions?: readonly Condition[]
    readonly active?: number
    readonly failedIndexes?: string
    readonly completedIndexes?: string
  }
}

export interface ContainerState {
  readonly waiting?: { readonly reason?: string; readonly message?: string }
  readonly running?: object
  readonly terminated?: { readonly exitCode: number; readonly reason?: string; readonly message?: string }
}

export interface KubePod extends KubeObject {
  readonly spec?: PodSpec
  readonly status?: {
    readonly phase?: string
    readonly reason?: string
    readonly message?: string
    readonly conditions?: readonly Condition[]
    readonly containerStatuses?: readonly { readonly name: string; readonly state?: ContainerState }[]
  }
}

export interface PodTemplate {
  readonly metadata?: { readonly labels?: Readonly<Record<string, string>> }
  readonly spec?: PodSpec
}

/** Copied from one Pod to the next as it is. */
type Opaque = unknown

export interface PodSpec {
  readonly containers: readonly Container[]
  readonly volumes?: readonly Volume[]
  readonly imagePullSecrets?: Opaque
  readonly nodeSelector?: Opaque
  readonly tolerations?: Opaque
  readonly affinity?: Opaque
  readonly securityContext?: Opaque
  readonly priorityClassName?: string
  readonly runtimeClassName?: string
  readonly serviceAccountName?: string
  readonly [more: string]: Opaque
}

export interface Container {
  readonly name: string
  readonly image?: string
  readonly imagePullPolicy?: string
  readonly command?: readonly string[]
  readonly args?: readonly string[]
  readonly workingDir?: string
  readonly env?: readonly EnvVar[]
  readonly envFrom?: readonly Opaque[]
  readonly volumeMounts?: readonly { readonly name: string; readonly [more: string]: Opaque }[]
  readonly resources?: Opaque
  readonly securityContext?: Opaque
  readonly [more: string]: Opaque
}

export interface EnvVar {
  readonly name: string
  readonly value?: string
  readonly valueFrom?: Opaque
}

export interface Volume {
  readonly name: string
  readonly [kind: string]: Opaque
}
