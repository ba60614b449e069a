// The gateway as the configuration has it: who its replicas are, which certificates count, and the checks over both.
// Imported only where the section `gateway` is; the kinds of discovery that are not used are not loaded either.
import type { Registry } from 'prom-client'
import type { FileRef, GatewayConfig } from '../config/schema.ts'
import { openFile } from '../config/secrets.ts'
import { type Clock, delay } from '../lib/clock.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import { createGateway, type RunningGateway } from '../synced/gateway.ts'
import type { Discovery } from '../synced/replica.ts'

export interface GatewaySurroundings {
  /** Asked for only with discovery by Kubernetes. The client stays the caller's. */
  readonly kube: () => Promise<KubeClient>
  readonly registry: Registry
  readonly clock: Clock
  /** Milliseconds to wait for the first list of replicas; the service does not wait, and says in readiness that there is none yet. */
  readonly firstListMs?: number
}

/** Pause before the source is asked for the first list again, in milliseconds. */
const ASK_AGAIN_MS = 100

/** Opens it and begins to follow the replicas. Throws ConfigError when a file cannot be used or no API server can be named. */
export async function openGateway(config: GatewayConfig, surroundings: GatewaySurroundings): Promise<RunningGateway> {
  const { registry, clock, firstListMs = 0 } = surroundings
  const open = (ref: FileRef | undefined) => ref && openFile(ref, { clock })
  const { ca, cert, key } = config.probe.tls ?? {}
  const [caFile, certFile, keyFile] = [open(ca), open(cert), open(key)]
  const discovery = await createDiscovery(config, surroundings)
  const gateway = createGateway({
    config,
    discovery,
    tls: {
      ...(caFile && { ca: () => caFile.read() }),
      ...(certFile && { cert: () => certFile.read() }),
      ...(keyFile && { key: () => keyFile.read() }),
    },
    clock,
    registry,
  })
  gateway.start()
  await waitForList(discovery, clock, firstListMs)
  return gateway
}

async function createDiscovery(config: GatewayConfig, { kube, clock }: GatewaySurroundings): Promise<Discovery> {
  const { discovery, probe } = config
  const defaultPort = probe.port
  switch (discovery.kind) {
    case 'static': {
      const { createStaticDiscovery } = await import('../synced/discovery/static.ts')
      return createStaticDiscovery({ ...discovery, defaultPort })
    }
    case 'dns': {
      const { createDnsDiscovery } = await import('../synced/discovery/dns.ts')
      return createDnsDiscovery({ ...discovery, defaultPort, clock })
    }
    case 'kubernetes': {
      const [{ createKubernetesDiscovery }, client] = await Promise.all([
        import('../synced/discovery/kubernetes.ts'),
        kube(),
      ])
      return createKubernetesDiscovery({ ...discovery, defaultPort, client, clock, random: Math.random })
    }
  }
}

async function waitForList(discovery: Discovery, clock: Clock, waitMs: number): Promise<void> {
  const until = clock.now() + waitMs
  while (discovery.replicas === undefined && clock.now() < until) {
    await discovery.refresh(AbortSignal.timeout(waitMs))
    if (discovery.replicas === undefined) await delay(clock, ASK_AGAIN_MS)
  }
}
