{{/* The name of the application. */}}
{{- define "setun.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* The name of the objects; short enough for the names that are made from it, as that of the management Service. */}}
{{- define "setun.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) }}
{{- default $full .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- end }}

{{- define "setun.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "setun.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{/* A Deployment's selector can never be changed: nothing may stand here that a new version or other values change. */}}
{{- define "setun.selectorLabels" -}}
app.kubernetes.io/name: {{ include "setun.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "setun.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "setun.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{/* A digest goes before a tag, and a tag before the version that the chart was made for. */}}
{{- define "setun.image" -}}
{{- with .Values.image }}
{{- $name := ternary (printf "%s/%s" .registry .repository) .repository (ne .registry "") }}
{{- if .digest }}
{{- printf "%s@%s" $name .digest }}
{{- else }}
{{- printf "%s:%s" $name (default $.Chart.AppVersion .tag) }}
{{- end }}
{{- end }}
{{- end }}

{{/* What clients reach, and where management is if it has no port of its own. */}}
{{- define "setun.port" -}}8080{{- end }}

{{/* The name of the port with probes and metrics. */}}
{{- define "setun.managementPortName" -}}
{{- ternary "http" "management" (eq (include "setun.port" .) (toString .Values.management.port)) }}
{{- end }}

{{/* The beginnings of paths that lead to the API, parted by spaces: all, unless health and metrics are at the same port. */}}
{{- define "setun.apiPaths" -}}
{{- ternary "/v1 /tokenize /detokenize /apply-template /docs /openapi.json" "/" (eq (include "setun.managementPortName" .) "http") }}
{{- end }}

{{/* The Service in front of the port with metrics. */}}
{{- define "setun.managementServiceName" -}}
{{- $name := include "setun.fullname" . }}
{{- ternary $name (printf "%s-management" $name) (eq (include "setun.managementPortName" .) "http") }}
{{- end }}

{{/* Where the model is; empty for the one that ships. */}}
{{- define "setun.modelPath" -}}
{{- $model := .Values.model }}
{{- if eq $model.source "claim" }}
{{- list "/models" $model.path | join "/" | clean }}
{{- else if eq $model.source "hub" }}
{{- list "/models" (regexFind "^[^@:]+" $model.hub.model) $model.path | join "/" | clean }}
{{- end }}
{{- end }}

{{/* The properties that the values stand for, as YAML. */}}
{{- define "setun.ownProperties" -}}
server.port: {{ include "setun.port" . }}
{{- if eq (include "setun.managementPortName" .) "management" }}
management.server.port: {{ .Values.management.port }}
{{- end }}
{{- with include "setun.modelPath" . }}
setun.model.path: {{ . | quote }}
{{- end }}
{{- with .Values.model.name }}
setun.model.name: {{ . | quote }}
{{- end }}
{{- with .Values.threads }}
setun.engine.threads: {{ . }}
{{- end }}
setun.engine.drain-timeout: {{ .Values.shutdown.drainSeconds }}s
spring.lifecycle.timeout-per-shutdown-phase: {{ .Values.shutdown.sendSeconds }}s
{{- if .Values.apiKeys.secret }}
setun.server.api-key-file: /etc/setun/keys/api-keys
{{- end }}
{{- if or .Values.metrics.vllmNames .Values.inferencePool.enabled }}
setun.metrics.vllm-names: true
{{- end }}
{{- end }}

{{/* The JVM would take a quarter of the pod's memory for its heap, in which neither weights nor states lie. */}}
{{- define "setun.jvmFlags" -}}
{{- printf "%s %s" (empty .Values.jvm.maxHeap | ternary "" (printf "-Xmx%s" .Values.jvm.maxHeap)) .Values.jvm.flags | trim }}
{{- end }}

{{/* Without a trace that a stream was cut: not ready, drained, sent, and time for the JVM to go. */}}
{{- define "setun.gracePeriodSeconds" -}}
{{- with .Values.shutdown }}
{{- add .preStopSeconds .drainSeconds .sendSeconds 10 }}
{{- end }}
{{- end }}

{{/* The same for whatever scales: quick to more, since who waits is refused in the end; slow to less, since streams are long. */}}
{{- define "setun.scalingBehavior" -}}
scaleUp:
  stabilizationWindowSeconds: 30
scaleDown:
  stabilizationWindowSeconds: {{ .Values.autoscaling.stabilizationSeconds }}
  policies:
    - type: Pods
      value: 1
      periodSeconds: 60
{{- end }}

{{/* The port of the hub, as its address has it. */}}
{{- define "setun.hubPort" -}}
{{- $url := urlParse (default "https://huggingface.co" .Values.model.hub.endpoint) }}
{{- $port := regexFind ":[0-9]+$" $url.host | trimPrefix ":" }}
{{- default (ternary "80" "443" (eq $url.scheme "http")) $port }}
{{- end }}
