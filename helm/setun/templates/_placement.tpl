{{/* On which nodes the pods go. */}}
{{- define "setun.placement" -}}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- $cpu := or .Values.cpuFeatures.required .Values.cpuFeatures.preferred }}
{{- if or $cpu .Values.affinity }}
affinity:
  {{- if $cpu }}
  nodeAffinity:
    {{- include "setun.cpuAffinity" . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
{{- with .Values.topologySpread.topologyKeys }}
topologySpreadConstraints:
  {{- range . }}
  - topologyKey: {{ . }}
    maxSkew: {{ $.Values.topologySpread.maxSkew }}
    whenUnsatisfiable: {{ $.Values.topologySpread.whenUnsatisfiable }}
    labelSelector:
      matchLabels:
        {{- include "setun.selectorLabels" $ | nindent 8 }}
    # Each version by itself, lest the old one's replicas decide where the new one's go.
    matchLabelKeys: ["pod-template-hash"]
  {{- end }}
{{- end }}
{{- end }}

{{/* The labels that node-feature-discovery gives to nodes. */}}
{{- define "setun.cpuAffinity" -}}
{{- with .Values.cpuFeatures.required }}
requiredDuringSchedulingIgnoredDuringExecution:
  nodeSelectorTerms:
    - matchExpressions:
        {{- range . }}
        - key: feature.node.kubernetes.io/cpu-cpuid.{{ . }}
          operator: In
          values: ["true"]
        {{- end }}
{{- end }}
{{- with .Values.cpuFeatures.preferred }}
preferredDuringSchedulingIgnoredDuringExecution:
  {{- range . }}
  - weight: 10
    preference:
      matchExpressions:
        - key: feature.node.kubernetes.io/cpu-cpuid.{{ . }}
          operator: In
          values: ["true"]
  {{- end }}
{{- end }}
{{- end }}
