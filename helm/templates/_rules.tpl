{{/*
The rules of each right, as in roles/: a test holds them to these files. Which of them a release gets follows from its configuration.
*/}}
{{- define "syncer.rules.gatewayService" -}}
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [list, watch]
{{- end -}}

{{- define "syncer.rules.gatewaySelector" -}}
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch]
{{- end -}}

{{- define "syncer.rules.dsync" -}}
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  resourceNames: {{ include "syncer.leases" . | fromYamlArray | toJson }}
  verbs: [get, update, watch, create]
{{- end -}}

{{- define "syncer.rules.tokenReview" -}}
- apiGroups: [authentication.k8s.io]
  resources: [tokenreviews]
  verbs: [create]
{{- end -}}

{{- define "syncer.rules.dbJobs" -}}
- apiGroups: [batch]
  resources: [jobs]
  verbs: [create, get, watch, delete]
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch]
{{- end -}}

{{/* For workers that are to be like a Pod of the service, in another namespace than that. */}}
{{- define "syncer.rules.ownPod" -}}
- apiGroups: [""]
  resources: [pods]
  verbs: [list]
{{- end -}}

{{/* Names of the Leases: of the election, and of the lock of each cluster and pair. */}}
{{- define "syncer.leases" -}}
{{- $config := include "syncer.config" . | fromYaml -}}
{{- $scope := $config.dsync.scope -}}
- {{ printf "%s.election.schedule" $scope | quote }}
{{- range dig "tokens" "clusters" list $config }}
- {{ printf "%s.lock.%s" $scope (include "syncer.lockName" (list "tokens" .name)) | quote }}
{{- end }}
{{- range dig "db" "pairs" list $config }}
- {{ printf "%s.lock.%s" $scope (include "syncer.lockName" (list "db" .name)) | quote }}
{{- end }}
{{- end -}}

{{/* Name of the lock of (kind, name), as src/runs/lock-names.ts makes it: a name that no Lease can have brings its hash. */}}
{{- define "syncer.lockName" -}}
{{- $prefix := index . 0 -}}
{{- $name := index . 1 -}}
{{- if regexMatch "^[a-z0-9](?:[a-z0-9-]{0,98}[a-z0-9])?$" $name -}}
{{ $prefix }}-{{ $name }}
{{- else -}}
{{ $prefix }}--{{ regexReplaceAll "[^a-z0-9]+" (lower $name) "-" | trunc 60 }}-{{ sha256sum $name | trunc 20 }}
{{- end -}}
{{- end -}}

{{/*
Every right that the configuration in force needs, as a list of {name, namespace, rules}; a namespace of "" is the whole cluster. Empty where
the API server is that of a kubeconfig, which has its own ways.
*/}}
{{- define "syncer.rights" -}}
{{- $config := include "syncer.config" . | fromYaml -}}
{{- $own := .Release.Namespace -}}
{{- $rights := list -}}
{{- if not (dig "kubernetes" "kubeConfig" "" $config) -}}
  {{- $discovery := dig "gateway" "discovery" dict $config -}}
  {{- if eq "kubernetes" (get $discovery "kind" | default "") -}}
    {{- $kind := ternary "service" "selector" (hasKey $discovery "service") -}}
    {{- $rules := include (printf "syncer.rules.gateway%s" (title $kind)) . | fromYamlArray -}}
    {{- $rights = append $rights (dict "name" (printf "gateway-%s" $kind) "namespace" (get $discovery "namespace" | default $own) "rules" $rules) -}}
  {{- end -}}
  {{- if eq "kubernetes" (dig "dsync" "driver" "memory" $config) -}}
    {{- $rules := include "syncer.rules.dsync" . | fromYamlArray -}}
    {{- $rights = append $rights (dict "name" "dsync" "namespace" ($config.dsync.namespace | default $own) "rules" $rules) -}}
  {{- end -}}
  {{- if eq "tokenReview" $config.auth.mode -}}
    {{- $rights = append $rights (dict "name" "token-review" "namespace" "" "rules" (include "syncer.rules.tokenReview" . | fromYamlArray)) -}}
  {{- end -}}
  {{- $namespaces := list -}}
  {{- $isLikeOwnPod := false -}}
  {{- range dig "db" "pairs" list $config -}}
    {{- $execution := dig "execution" dict . -}}
    {{- if eq "kubernetes-job" (get $execution "kind" | default "process") -}}
      {{- $namespaces = append $namespaces (get $execution "namespace" | default $own) -}}
      {{- if not (hasKey $execution "image") }}{{ $isLikeOwnPod = true }}{{ end -}}
    {{- end -}}
  {{- end -}}
  {{- range uniq $namespaces -}}
    {{- $rights = append $rights (dict "name" "db-jobs" "namespace" . "rules" (include "syncer.rules.dbJobs" $ | fromYamlArray)) -}}
  {{- end -}}
  {{- if and $isLikeOwnPod (not (has $own $namespaces)) -}}
    {{- $rights = append $rights (dict "name" "own-pod" "namespace" $own "rules" (include "syncer.rules.ownPod" . | fromYamlArray)) -}}
  {{- end -}}
{{- end -}}
{{- toYaml $rights -}}
{{- end -}}
