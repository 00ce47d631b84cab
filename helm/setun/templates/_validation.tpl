{{/* What a JSON schema cannot say, or not in words that help. */}}
{{- define "setun.validate" -}}
{{- $v := .Values }}
{{- if and (eq $v.image.tag "latest") (not $v.image.digest) }}
{{- fail "image.tag: expected a version, which is the same tomorrow, found latest" }}
{{- end }}
{{- if and (eq $v.model.source "claim") (not $v.model.claim) }}
{{- fail "model.claim: expected the name of a PersistentVolumeClaim, since model.source is claim, found none" }}
{{- end }}
{{- if and (eq $v.model.source "hub") (not $v.model.hub.model) }}
{{- fail "model.hub.model: expected OWNER/NAME, since model.source is hub, found none" }}
{{- end }}
{{- if and (ne $v.model.source "claim") $v.model.claim }}
{{- fail (printf "model.claim: expected none, since model.source is %s, found %s" $v.model.source $v.model.claim) }}
{{- end }}
{{- if and (ne $v.model.source "hub") $v.model.hub.model }}
{{- fail (printf "model.hub.model: expected none, since model.source is %s, found %s" $v.model.source $v.model.hub.model) }}
{{- end }}
{{- if and (eq $v.model.source "bundled") $v.model.path }}
{{- fail (printf "model.path: expected none, since model.source is bundled, found %s" $v.model.path) }}
{{- end }}
{{- if has ".." (splitList "/" $v.model.path) }}
{{- fail (printf "model.path: expected a path within the volume, found %s" $v.model.path) }}
{{- end }}
{{- if gt (int $v.autoscaling.minReplicas) (int $v.autoscaling.maxReplicas) }}
{{- fail (printf "autoscaling.maxReplicas: expected at least autoscaling.minReplicas, %d, found %d" (int $v.autoscaling.minReplicas) (int $v.autoscaling.maxReplicas)) }}
{{- end }}
{{- if and (eq $v.autoscaling.type "keda") (not $v.autoscaling.prometheusUrl) }}
{{- fail "autoscaling.prometheusUrl: expected the address of a Prometheus, since autoscaling.type is keda, found none" }}
{{- end }}
{{- if and $v.ingress.enabled (not $v.ingress.hosts) }}
{{- fail "ingress.hosts: expected at least one host, since ingress.enabled is true, found none" }}
{{- end }}
{{- if and $v.httpRoute.enabled (not $v.httpRoute.parentRefs) }}
{{- fail "httpRoute.parentRefs: expected at least one Gateway, since httpRoute.enabled is true, found none" }}
{{- end }}
{{- if and $v.inferencePool.enabled (not $v.inferencePool.endpointPicker) }}
{{- fail "inferencePool.endpointPicker: expected the name of the endpoint picker's Service, since inferencePool.enabled is true, found none" }}
{{- end }}
{{- if and (or $v.cpuFeatures.required $v.cpuFeatures.preferred) $v.affinity.nodeAffinity }}
{{- fail "affinity.nodeAffinity: expected none, since cpuFeatures makes one, found another; name the features in it" }}
{{- end }}
{{- range $v.extraEnv }}
{{- if eq .name "JDK_JAVA_OPTIONS" }}
{{- fail "extraEnv: expected no JDK_JAVA_OPTIONS, which jvm.maxHeap and jvm.flags make, found one" }}
{{- end }}
{{- end }}
{{- $taken := dict }}
{{- range list "server.port" "server.shutdown" "management.server.port" "management.endpoints.web.base-path" "management.endpoint.health.probes.enabled" }}
{{- $_ := set $taken (. | replace "-" "") . }}
{{- end }}
{{- range list "setun.model.path" "setun.model.name" "setun.engine.threads" "setun.engine.drain-timeout" "spring.lifecycle.timeout-per-shutdown-phase" "setun.server.api-key-file" "setun.redis.url" "setun.metrics.vllm-names" }}
{{- $_ := set $taken (. | replace "-" "") . }}
{{- end }}
{{- range $name, $value := $v.config }}
{{- if not (regexMatch "^[a-z][a-z0-9]*([.][A-Za-z0-9_-]+([[][0-9]+[]])?)+$" $name) }}
{{- fail (printf "config: expected full names of properties, such as setun.engine.max-sequences, found %s" $name) }}
{{- end }}
{{- if hasKey $taken ($name | lower | replace "-" "" | replace "_" "") }}
{{- fail (printf "config: expected properties that no other value stands for, found %s" $name) }}
{{- end }}
{{- end }}
{{- end }}
