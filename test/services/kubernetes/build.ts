// `node test/services/kubernetes/build.ts`: builds the Kubernetes control plane that tests and benches start, unless it is there.
import { buildKubeBinaries } from '../lib/kube-binaries.ts'

await buildKubeBinaries((line) => process.stdout.write(`${line}\n`))
