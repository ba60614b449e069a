{{/*
The configuration in force: what is written, and what follows from the other values. Fails with the reason where several replicas would
work against each other; what the service itself refuses it tells by `syncer config check`.
*/}}
{{- define "syncer.config" -}}
{{- $config := deepCopy .Values.config -}}
{{- $replicas := int .Values.replicas -}}
{{- $runs := or (hasKey $config "tokens") (hasKey $config "db") -}}
{{- if not (dig "auth" "mode" "" $config) -}}
  {{- fail "config.auth.mode must be written down (none, bearer, oidc or tokenReview): others reach the port of the Pod" -}}
{{- end -}}
{{- if or (eq "localhost" $config.listen.host) (eq "::1" $config.listen.host) (hasPrefix "127." $config.listen.host) -}}
  {{- fail (printf "config.listen.host is %s, where neither probes nor callers reach the Pod: leave it out, or write 0.0.0.0" $config.listen.host) -}}
{{- end -}}

{{- $dsync := dict -}}
{{- with $config.dsync }}{{ $dsync = . }}{{ end -}}
{{- if and $runs (gt $replicas 1) (not (hasKey $dsync "driver")) -}}
  {{- $_ := set $dsync "driver" "kubernetes" -}}
{{- end -}}
{{- if eq "kubernetes" (get $dsync "driver" | default "memory") -}}
  {{- if not (hasKey $dsync "scope") }}{{ $_ := set $dsync "scope" (include "syncer.fullname" .) }}{{ end -}}
{{- else if and $runs (gt $replicas 1) -}}
  {{- fail (printf "config.dsync.driver is memory with %d replicas: each would think that it leads, and start every scheduled run. Leave it out, or take one replica" $replicas) -}}
{{- end -}}
{{- if $dsync }}{{ $_ := set $config "dsync" $dsync }}{{ end -}}

{{- if $runs -}}
  {{- $state := dict -}}
  {{- if hasKey $config "state" -}}
    {{- $state = $config.state -}}
  {{- else if .Values.state.postgres.existingSecret -}}
    {{- $state = dict "kind" "postgres" "url" (dict "file" "state-url") -}}
  {{- end -}}
  {{- if ne "postgres" (get $state "kind" | default "sqlite") -}}
    {{- if gt $replicas 1 -}}
      {{- fail (printf "%d replicas with config.tokens or config.db need a state that they share, and SQLite is a file of one of them: set state.postgres.existingSecret, or replicas to 1" $replicas) -}}
    {{- end -}}
    {{- if and (eq "kubernetes" (get $dsync "driver" | default "memory")) -}}
      {{- fail "config.dsync.driver is kubernetes, and SQLite is a file of one replica: set state.postgres.existingSecret, or leave config.dsync out" -}}
    {{- end -}}
    {{- if not (hasKey $state "path") }}{{ $_ := set $state "path" "/var/lib/syncer/state.db" }}{{ end -}}
  {{- end -}}
  {{- $_ := set $config "state" $state -}}
{{- end -}}
{{- if hasKey $config "tokens" -}}
  {{- if not (hasKey $config.tokens "undoFolder") }}{{ $_ := set $config.tokens "undoFolder" "/var/lib/syncer/undo" }}{{ end -}}
{{- end -}}
{{- if and .Values.state.persistence.enabled (not .Values.state.persistence.existingClaim) (gt $replicas 1) -}}
  {{- if not (has "ReadWriteMany" .Values.state.persistence.accessModes) -}}
    {{- fail (printf "state.persistence with %d replicas needs accessModes [ReadWriteMany]: a volume that one node mounts keeps the others from starting" $replicas) -}}
  {{- end -}}
{{- end -}}
{{- toYaml $config -}}
{{- end -}}

{{/* Whether something runs, and therefore something has to be kept: `true` or nothing. */}}
{{- define "syncer.keepsState" -}}
{{- if or (hasKey .Values.config "tokens") (hasKey .Values.config "db") }}true{{ end -}}
{{- end -}}

{{/* Whether one replica alone runs jobs, of which there may never be two: `true` or nothing. */}}
{{- define "syncer.isSole" -}}
{{- $config := include "syncer.config" . | fromYaml -}}
{{- if and (include "syncer.keepsState" .) (ne "kubernetes" (dig "dsync" "driver" "memory" $config)) }}true{{ end -}}
{{- end -}}

{{/*
What each phase of a stop may take, the last of them included: the delay, then connections with runs, runs and leadership, each with the
grace, and seconds for the rest. Most stops take the delay and a moment.
*/}}
{{- define "syncer.terminationGracePeriodSeconds" -}}
{{- if ne nil .Values.terminationGracePeriodSeconds -}}
{{ int .Values.terminationGracePeriodSeconds }}
{{- else -}}
{{- $delayMs := dig "shutdown" "readinessDelayMs" 1000 .Values.config | int -}}
{{- $graceMs := dig "shutdown" "graceMs" 5000 .Values.config | int -}}
{{ add (div (add $delayMs (mul 3 $graceMs) 999) 1000) 24 }}
{{- end -}}
{{- end -}}
