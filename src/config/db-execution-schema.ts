// `execution` of a pair: in the process of the service, or in Pods of Kubernetes, one Indexed Job for each direction. What is left out
// of a worker is as it is in the Pod that the service runs in.
import { type Static, Type } from 'typebox'
import { type DeepReadonly, Milliseconds, strict } from './schema-parts.ts'

const NAME = '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$'

const objectName = (description: string) => Type.String({ minLength: 1, maxLength: 253, pattern: NAME, description })

const quantity = (description: string) =>
  Type.String({ minLength: 1, maxLength: 64, pattern: '^[0-9]+(\\.[0-9]+)?([a-zA-Z]{1,2}|[eE][0-9]+)?$', description })

const resources = (what: string) =>
  Type.Optional(
    strict(
      {
        cpu: Type.Optional(quantity(`${what} of processor time, as \`500m\` or \`2\`.`)),
        memory: Type.Optional(quantity(`${what} of memory, as \`512Mi\`.`)),
      },
      { description: `${what} of a worker.` },
    ),
  )

const JobSchema = strict({
  kind: Type.Literal('kubernetes-job', {
    description: 'Workers in Pods of Kubernetes 1.29 or newer: one Indexed Job for each direction.',
  }),
  shards: Type.Integer({
    minimum: 1,
    maximum: 2_000,
    default: 256,
    description:
      'So many parts each direction is cut into: many more than workers, each a matter of minutes, so that one that is lost costs little.',
  }),
  parallelism: Type.Integer({
    minimum: 1,
    maximum: 1_000,
    default: 16,
    description: 'Most workers at the same time.',
  }),
  retries: Type.Integer({
    minimum: 0,
    maximum: 100,
    default: 3,
    description: 'A part whose worker fails is tried so many times more. What befalls the node does not count.',
  }),
  maxFailedShards: Type.Integer({
    minimum: 0,
    maximum: 2_000,
    default: 5,
    description: 'Parts that may fail for good before the others are stopped; the run has failed with the first one.',
  }),
  quietMs: Milliseconds(
    1_000,
    86_400_000,
    600_000,
    'When nothing has changed for this long, the progress of the run says so and what the workers wait for, in milliseconds.',
  ),
  namespace: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 63,
      pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$',
      description: 'Namespace of the Jobs; the own one when left out.',
    }),
  ),
  image: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 512,
      pattern: '^[!-~]+$',
      description:
        'Image of the workers, whose entry point is the command `syncer`. Left out: image, environment, mounted ConfigMaps and Secrets, and placement of the Pod that the service runs in.',
    }),
  ),
  configMap: Type.Optional(
    objectName(
      'ConfigMap whose key `syncer.yaml` is the configuration of the workers, which is mounted as a folder of its own. Left out: the path of the service’s own.',
    ),
  ),
  secret: Type.Optional(
    objectName('Secret whose keys become environment variables of the workers: those that the configuration names.'),
  ),
  serviceAccountName: Type.Optional(
    objectName('ServiceAccount of the workers, which gets no token; that of the service’s Pod when left out.'),
  ),
  resources: Type.Optional(
    strict(
      { requests: resources('Guaranteed share'), limits: resources('Limit') },
      { description: 'What a worker needs, and may take; as the container of the service when left out.' },
    ),
  ),
})

export const ExecutionSchema = Type.Union(
  [
    strict({
      kind: Type.Literal('process', { default: 'process', description: 'In the process of the service.' }),
    }),
    JobSchema,
  ],
  { description: 'Where the rows are carried.', default: { kind: 'process' } },
)

export type ExecutionConfig = DeepReadonly<Static<typeof ExecutionSchema>>
export type JobExecutionConfig = Extract<ExecutionConfig, { kind: 'kubernetes-job' }>
