{{/* Port of an address such as https://host:9200/path: what is written, or that of its scheme. */}}
{{- define "syncer.portOf" -}}
{{- $url := urlParse . -}}
{{- $port := regexFind ":[0-9]+$" $url.host | trimPrefix ":" -}}
{{- $port | default (ternary "443" "80" (eq "https" (lower $url.scheme))) -}}
{{- end -}}

{{/* TCP ports of all that the configuration has the service talk to, each once; the gateway in Kubernetes is known by its namespace. */}}
{{- define "syncer.egressPorts" -}}
{{- $config := include "syncer.config" . | fromYaml -}}
{{- $egress := .Values.networkPolicy.egress -}}
{{- $ports := list -}}
{{- if include "syncer.rights" . | fromYamlArray -}}
  {{- range $egress.kubernetesPorts }}{{ $ports = append $ports (int .) }}{{ end -}}
{{- end -}}
{{- if hasKey $config "gateway" -}}
  {{- $discovery := $config.gateway.discovery -}}
  {{- $default := dig "probe" "port" 8443 $config.gateway | int -}}
  {{- if eq "static" $discovery.kind -}}
    {{- range $discovery.replicas }}{{ $ports = append $ports (get . "port" | default $default | int) }}{{ end -}}
  {{- else if eq "dns" $discovery.kind -}}
    {{- $ports = append $ports (get $discovery "port" | default $default | int) -}}
  {{- end -}}
{{- end -}}
{{- if eq "oidc" $config.auth.mode -}}
  {{- $ports = append $ports (include "syncer.portOf" $config.auth.issuer | int) -}}
  {{- with get $config.auth "jwksUri" }}{{ $ports = append $ports (include "syncer.portOf" . | int) }}{{ end -}}
{{- end -}}
{{- range dig "tokens" "clusters" list $config }}{{ $ports = append $ports (include "syncer.portOf" .url | int) }}{{ end -}}
{{- range dig "db" "pairs" list $config -}}
  {{- range list .left .right -}}
    {{- if eq "cassandra" .kind -}}
      {{- range .contactPoints }}{{ $ports = append $ports (regexFind "[^:]:[0-9]+$" . | regexFind "[0-9]+$" | default "9042" | int) }}{{ end -}}
    {{- else if eq "elasticsearch" .kind -}}
      {{- $ports = append $ports (include "syncer.portOf" .url | int) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- if eq "postgres" (dig "state" "kind" "sqlite" $config) }}{{ $ports = append $ports (int $egress.postgresPort) }}{{ end -}}
{{- $ports | uniq | toYaml -}}
{{- end -}}
