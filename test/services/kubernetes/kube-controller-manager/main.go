// The upstream controller manager, with the Job controller's constants readable from the environment:
// a test that runs Jobs through failure would otherwise spend its time in back-offs meant for production.
package main

import (
	"fmt"
	"os"
	"time"
	_ "time/tzdata"

	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	"k8s.io/kubernetes/cmd/kube-controller-manager/app"
	"k8s.io/kubernetes/pkg/controller/job"
)

// Each variable holds a Go duration ("50ms"); one that is not set leaves upstream's value.
var waits = map[string]*time.Duration{
	"JOB_SYNC_BATCH_PERIOD": &job.SyncJobBatchPeriod,
	"JOB_POD_BACKOFF":       &job.DefaultJobPodFailureBackOff,
	"JOB_POD_BACKOFF_MAX":   &job.MaxJobPodFailureBackOff,
}

func main() {
	for name, wait := range waits {
		text, given := os.LookupEnv(name)
		if !given {
			continue
		}
		value, err := time.ParseDuration(text)
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
			os.Exit(2)
		}
		*wait = value
	}
	os.Exit(cli.Run(app.NewControllerManagerCommand()))
}
